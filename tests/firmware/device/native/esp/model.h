// As much of ESP-IDF as power.c, identity.c, update.c and random.c use, in its shapes, for a program on this machine.

#ifndef TUMBLER_ESP_MODEL_H
#define TUMBLER_ESP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
#define ESP_OK 0
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_INVALID_SIZE 0x104
#define ESP_ERR_NOT_FOUND 0x105
#define ESP_ERR_NOT_SUPPORTED 0x106
#define ESP_ERR_NVS_XTS_CFG_NOT_FOUND 0x1114

typedef int gpio_num_t;
enum { RTC_GPIO_MODE_INPUT_ONLY, RTC_GPIO_MODE_OUTPUT_ONLY };
bool rtc_gpio_is_valid_gpio(gpio_num_t pin);
esp_err_t rtc_gpio_init(gpio_num_t pin);
esp_err_t rtc_gpio_deinit(gpio_num_t pin);
esp_err_t rtc_gpio_set_direction(gpio_num_t pin, int mode);
esp_err_t rtc_gpio_set_level(gpio_num_t pin, uint32_t level);
esp_err_t rtc_gpio_hold_en(gpio_num_t pin);
esp_err_t rtc_gpio_hold_dis(gpio_num_t pin);
esp_err_t rtc_gpio_pullup_dis(gpio_num_t pin);
esp_err_t rtc_gpio_pulldown_en(gpio_num_t pin);

enum { GPIO_INTR_NEGEDGE = 2, GPIO_INTR_LOW_LEVEL = 4 };
#define GPIO_IS_VALID_GPIO(pin) ((pin) < 40 && (pin) != 24)
esp_err_t gpio_wakeup_enable(gpio_num_t pin, int type);
esp_err_t gpio_wakeup_disable(gpio_num_t pin);
esp_err_t gpio_set_intr_type(gpio_num_t pin, int type);
int gpio_get_level(gpio_num_t pin);
typedef struct { uint32_t status_w1ts; struct { uint32_t val; } status1_w1ts; } gpio_dev_t;
extern gpio_dev_t GPIO;

enum { ESP_SLEEP_WAKEUP_UNDEFINED, ESP_SLEEP_WAKEUP_ALL, ESP_SLEEP_WAKEUP_EXT0, ESP_SLEEP_WAKEUP_EXT1, ESP_SLEEP_WAKEUP_TIMER };
enum { ESP_PD_DOMAIN_RTC_PERIPH, ESP_PD_OPTION_ON = 1, ESP_EXT1_WAKEUP_ANY_HIGH = 1 };
uint32_t esp_sleep_get_wakeup_causes(void);
esp_err_t esp_sleep_pd_config(int domain, int option);
esp_err_t esp_sleep_enable_ext1_wakeup_io(uint64_t mask, int mode);
esp_err_t esp_sleep_enable_timer_wakeup(uint64_t us);
esp_err_t esp_sleep_enable_gpio_wakeup(void);
esp_err_t esp_sleep_disable_wakeup_source(int source);
esp_err_t esp_deep_sleep_try_to_start(void);

typedef struct { int max_freq_mhz, min_freq_mhz; bool light_sleep_enable; } esp_pm_config_t;
esp_err_t esp_pm_get_configuration(void* config);
esp_err_t esp_pm_configure(const void* config);
typedef struct {
	esp_err_t (*enter_cb)(int64_t us, void* argument);
	esp_err_t (*exit_cb)(int64_t us, void* argument);
	void *enter_cb_user_arg, *exit_cb_user_arg;
	uint32_t enter_cb_prior, exit_cb_prior;
} esp_pm_sleep_cbs_register_config_t;
esp_err_t esp_pm_light_sleep_register_cbs(esp_pm_sleep_cbs_register_config_t* callbacks);

typedef struct { uint32_t timeout_ms, idle_core_mask; bool trigger_panic; } esp_task_wdt_config_t;
typedef int* esp_task_wdt_user_handle_t;
esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t* config);
esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t* config);
esp_err_t esp_task_wdt_add_user(const char* name, esp_task_wdt_user_handle_t* user);
esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user);

typedef struct { int number; } esp_partition_t;
enum { ESP_PARTITION_TYPE_DATA = 1, ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS = 4 };
const esp_partition_t* esp_partition_find_first(int type, int subtype, const char* label);

typedef struct { uint8_t eky[32], tky[32]; } nvs_sec_cfg_t;
typedef uint32_t nvs_handle_t;
enum { NVS_READONLY };
esp_err_t nvs_flash_read_security_cfg(const esp_partition_t* keys, nvs_sec_cfg_t* config);
esp_err_t nvs_flash_secure_init_partition(const char* label, nvs_sec_cfg_t* config);
esp_err_t nvs_flash_init_partition(const char* label);
esp_err_t nvs_flash_deinit_partition(const char* label);
esp_err_t nvs_open_from_partition(const char* label, const char* space, int mode, nvs_handle_t* handle);
esp_err_t nvs_get_blob(nvs_handle_t handle, const char* key, void* out, size_t* length);
void nvs_close(nvs_handle_t handle);

typedef struct { uint32_t secure_version; } esp_app_desc_t;
typedef enum {
	ESP_OTA_IMG_NEW,
	ESP_OTA_IMG_PENDING_VERIFY,
	ESP_OTA_IMG_VALID,
	ESP_OTA_IMG_INVALID,
	ESP_OTA_IMG_ABORTED,
	ESP_OTA_IMG_UNDEFINED = 0x7fffffff,
} esp_ota_img_states_t;
const esp_app_desc_t* esp_app_get_description(void);
const esp_partition_t* esp_ota_get_running_partition(void);
const esp_partition_t* esp_ota_get_next_update_partition(const esp_partition_t* from);
esp_err_t esp_ota_get_state_partition(const esp_partition_t* partition, esp_ota_img_states_t* state);
esp_err_t esp_ota_get_partition_description(const esp_partition_t* partition, esp_app_desc_t* description);
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);

#endif
