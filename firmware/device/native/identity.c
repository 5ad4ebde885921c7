// Where a lock's identity is kept (rule X10): the blob "identity" of the namespace "tumbler" in the NVS partition "identity", encrypted with
// the keys of the partition nvs_keys on chips that are set up for it. The partition is open only while it is read, so nothing of it stays in
// memory. Provisioning writes it; the lock only reads it, and the partition is marked read-only: mounting it with wrong keys would erase it.

#include "native.h"

#include "esp_partition.h"
#include "nvs_flash/include/nvs_flash.h"
#include "sdkconfig.h"
#include <string.h>

#define PARTITION "identity"
#define NAMESPACE "tumbler"
#define KEY "identity"
#define MAX_BYTES 128

/** Opens the partition as the chip is set up; never generates keys, since under new ones no identity could be read. */
static esp_err_t openPartition(void)
{
#if CONFIG_NVS_ENCRYPTION
	const esp_partition_t* keys = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS, NULL);
	if (keys == NULL)
		return ESP_ERR_NVS_XTS_CFG_NOT_FOUND;
	nvs_sec_cfg_t secrets;
	esp_err_t error = nvs_flash_read_security_cfg(keys, &secrets);
	if (error == ESP_OK)
		error = nvs_flash_secure_init_partition(PARTITION, &secrets);
	volatile uint8_t* bytes = (volatile uint8_t*)&secrets;
	for (size_t i = 0; i < sizeof secrets; i++)
		bytes[i] = 0;
	return error;
#else
	return nvs_flash_init_partition(PARTITION);
#endif
}

static int32_t readBlob(uint8_t* out)
{
	nvs_handle_t handle;
	esp_err_t error = nvs_open_from_partition(PARTITION, NAMESPACE, NVS_READONLY, &handle);
	if (error != ESP_OK)
		return resultOf(error);
	size_t length = MAX_BYTES;
	error = nvs_get_blob(handle, KEY, out, &length);
	nvs_close(handle);
	return error == ESP_OK ? (int32_t)length : resultOf(error);
}

int32_t identityRead(uint8_t* out)
{
	memset(out, 0, MAX_BYTES);
	esp_err_t error = openPartition();
	if (error != ESP_OK)
		return resultOf(error);
	int32_t length = readBlob(out);
	error = nvs_flash_deinit_partition(PARTITION);
	return length >= 0 && error != ESP_OK ? resultOf(error) : length;
}
