// What the chip says of itself, and its restart. It only reads: nothing here changes a fuse or a setting.

#include "native.h"

#include "esp_app_desc.h"
#include "esp_flash_encrypt.h"
#include "esp_mac.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "sdkconfig.h"
#include "soc/efuse_reg.h"
#include "soc/soc.h"
#include <string.h>

/** ESP-IDF's, of the component efuse, whose headers the SDK's makefile does not reach. */
extern uint32_t esp_efuse_read_secure_version(void);

#define FACTS_BYTES 32
#define AT_FLAGS 6
#define AT_FUSED_VERSION 8
#define AT_RUNNING_VERSION 12
#define FLASH_ENCRYPTED 1
#define FLASH_ENCRYPTED_FOR_GOOD 2
#define SECURE_BOOT 4
#define NVS_ENCRYPTED 8

double uptimeMs(void)
{
	return (double)esp_timer_get_time() / 1000.0;
}

void restart(void)
{
	esp_restart();
}

int32_t resetReason(void)
{
	return (int32_t)esp_reset_reason();
}

uint32_t freeHeap(void)
{
	return esp_get_free_heap_size();
}

/** The fuse of secure boot, version 2. */
static int isSecureBoot(void)
{
#if CONFIG_IDF_TARGET_ESP32
	return (REG_READ(EFUSE_BLK0_RDATA6_REG) & EFUSE_RD_ABS_DONE_1) != 0;
#else
	return 0;
#endif
}

static void put32(uint8_t* out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

int32_t chipFacts(uint8_t* out)
{
	memset(out, 0, FACTS_BYTES);
	esp_err_t error = esp_efuse_mac_get_default(out);
	if (error != ESP_OK)
		return resultOf(error);
	if (esp_flash_encryption_enabled())
		out[AT_FLAGS] |= FLASH_ENCRYPTED;
	if (esp_get_flash_encryption_mode() == ESP_FLASH_ENC_MODE_RELEASE)
		out[AT_FLAGS] |= FLASH_ENCRYPTED_FOR_GOOD;
	if (isSecureBoot())
		out[AT_FLAGS] |= SECURE_BOOT;
#if CONFIG_NVS_ENCRYPTION
	out[AT_FLAGS] |= NVS_ENCRYPTED;
#endif
	put32(out + AT_FUSED_VERSION, esp_efuse_read_secure_version());
	put32(out + AT_RUNNING_VERSION, esp_app_get_description()->secure_version);
	return 0;
}
