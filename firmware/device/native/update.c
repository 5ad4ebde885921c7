// What the bootloader knows of the running image and of the one beside it (rule X14): whether this boot is on trial, and the security
// versions that no update may go below. The SDK's embedded:update writes images; here nothing is written but the verdict on a trial.

#include "native.h"

#include "app_update/include/esp_ota_ops.h"
#include "esp_app_desc.h"

#define STATE_UNKNOWN 5

int32_t otaState(void)
{
	const esp_partition_t* running = esp_ota_get_running_partition();
	if (running == NULL)
		return resultOf(ESP_ERR_NOT_FOUND);
	esp_ota_img_states_t state;
	esp_err_t error = esp_ota_get_state_partition(running, &state);
	if (error != ESP_OK)
		return resultOf(error);
	return state == ESP_OTA_IMG_UNDEFINED ? STATE_UNKNOWN : (int32_t)state;
}

int32_t otaAccept(void)
{
	return resultOf(esp_ota_mark_app_valid_cancel_rollback());
}

int32_t otaReject(void)
{
	return resultOf(esp_ota_mark_app_invalid_rollback_and_reboot());
}

uint32_t runningVersion(void)
{
	return esp_app_get_description()->secure_version;
}

int32_t nextVersion(void)
{
	const esp_partition_t* next = esp_ota_get_next_update_partition(NULL);
	if (next == NULL)
		return resultOf(ESP_ERR_NOT_FOUND);
	esp_app_desc_t description;
	esp_err_t error = esp_ota_get_partition_description(next, &description);
	if (error != ESP_OK)
		return resultOf(error);
	return description.secure_version > INT32_MAX ? resultOf(ESP_ERR_INVALID_SIZE) : (int32_t)description.secure_version;
}
