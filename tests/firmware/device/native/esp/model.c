// A model of the chip behind power.c, identity.c and update.c: it writes down every call of ESP-IDF with what it was given, and fails the one
// that it is told to fail. Each line of the input is a function with its numbers, or a setting.

#include "model.h"
#include "native.h"

#include <stdio.h>
#include <string.h>

static char failing[60];
static int failure, state, next = 1, version, keys = 1, length = 3;
static uint32_t causes;
static const esp_partition_t partition = { 1 };
static esp_app_desc_t description;

static esp_err_t note(const char* name, long long a, long long b)
{
	int isFailing = strcmp(name, failing) == 0;
	printf("%s %lld %lld%s\n", name, a, b, isFailing ? " fails" : "");
	return isFailing ? failure : ESP_OK;
}

bool rtc_gpio_is_valid_gpio(gpio_num_t pin) { return pin != 5 && pin < 40; }
esp_err_t rtc_gpio_init(gpio_num_t pin) { return note("init", pin, 0); }
esp_err_t rtc_gpio_deinit(gpio_num_t pin) { return note("deinit", pin, 0); }
esp_err_t rtc_gpio_set_direction(gpio_num_t pin, int mode) { return note(mode == RTC_GPIO_MODE_INPUT_ONLY ? "input" : "output", pin, 0); }
esp_err_t rtc_gpio_set_level(gpio_num_t pin, uint32_t level) { return note("level", pin, level); }
esp_err_t rtc_gpio_hold_en(gpio_num_t pin) { return note("hold", pin, 0); }
esp_err_t rtc_gpio_hold_dis(gpio_num_t pin) { return note("release", pin, 0); }
esp_err_t rtc_gpio_pullup_dis(gpio_num_t pin) { return note("no-pullup", pin, 0); }
esp_err_t rtc_gpio_pulldown_en(gpio_num_t pin) { return note("pulldown", pin, 0); }

// A pin's interrupt: what it waits for, as it would be awake.
static uint64_t levels = ~0ULL;
static int types[40];
gpio_dev_t GPIO;
int gpio_get_level(gpio_num_t pin) { return levels >> pin & 1; }
esp_err_t gpio_wakeup_enable(gpio_num_t pin, int type) { types[pin] = type; return note("wakes", pin, type); }
esp_err_t gpio_wakeup_disable(gpio_num_t pin) { return note("wakes-not", pin, types[pin]); }
esp_err_t gpio_set_intr_type(gpio_num_t pin, int type) { types[pin] = type; return note("interrupts", pin, type); }

uint32_t esp_sleep_get_wakeup_causes(void) { return causes; }
esp_err_t esp_sleep_pd_config(int domain, int option) { return note("power", domain, option); }
esp_err_t esp_sleep_enable_ext1_wakeup_io(uint64_t mask, int mode) { return note("watch", (long long)mask, mode); }
esp_err_t esp_sleep_enable_timer_wakeup(uint64_t us) { return note("timer", (long long)us, 0); }
esp_err_t esp_sleep_enable_gpio_wakeup(void) { return note("watch-pins", 0, 0); }
esp_err_t esp_sleep_disable_wakeup_source(int source) { return note("unwatch", source, 0); }
esp_err_t esp_deep_sleep_try_to_start(void) { return note("sleep", 0, 0); }

esp_err_t esp_pm_get_configuration(void* config)
{
	*(esp_pm_config_t*)config = (esp_pm_config_t){ 240, 80, false };
	return note("get-pm", 0, 0);
}
esp_err_t esp_pm_configure(const void* config)
{
	const esp_pm_config_t* c = config;
	return note("set-pm", c->max_freq_mhz * 1000 + c->min_freq_mhz, c->light_sleep_enable);
}

static esp_pm_sleep_cbs_register_config_t callbacks;
esp_err_t esp_pm_light_sleep_register_cbs(esp_pm_sleep_cbs_register_config_t* config)
{
	callbacks = *config;
	return note("callbacks", callbacks.enter_cb_prior, callbacks.exit_cb_prior);
}

/** One light sleep, at whose end pins are as given. */
static void doze(uint64_t during)
{
	if (callbacks.enter_cb != NULL)
		callbacks.enter_cb(1000, callbacks.enter_cb_user_arg);
	levels = during;
	GPIO = (gpio_dev_t){ 0 };
	if (callbacks.exit_cb != NULL)
		callbacks.exit_cb(1000, callbacks.exit_cb_user_arg);
	printf("told %u %u\n", GPIO.status_w1ts, GPIO.status1_w1ts.val);
}

esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t* config) { return note("wdt-init", config->timeout_ms, config->trigger_panic); }
esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t* config) { return note("wdt-change", config->timeout_ms, config->trigger_panic); }
esp_err_t esp_task_wdt_add_user(const char* name, esp_task_wdt_user_handle_t* user)
{
	static int one;
	esp_err_t error = note(name, 0, 0);
	if (error == ESP_OK)
		*user = &one;
	return error;
}
esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user) { return note("wdt-feed", user != NULL, 0); }

const esp_partition_t* esp_partition_find_first(int type, int subtype, const char* label)
{
	note("find", type, subtype);
	return keys && label == NULL ? &partition : NULL;
}
esp_err_t nvs_flash_read_security_cfg(const esp_partition_t* from, nvs_sec_cfg_t* config)
{
	memset(config, 0x5a, sizeof *config);
	return note("read-keys", from->number, 0);
}
esp_err_t nvs_flash_secure_init_partition(const char* label, nvs_sec_cfg_t* config) { return note("open-secure", label[0], config->tky[31]); }
esp_err_t nvs_flash_init_partition(const char* label) { return note("open", label[0], 0); }
esp_err_t nvs_flash_deinit_partition(const char* label) { return note("close", label[0], 0); }
esp_err_t nvs_open_from_partition(const char* label, const char* space, int mode, nvs_handle_t* handle)
{
	*handle = 7;
	return note("handle", label[0] * 1000 + space[0], mode);
}
esp_err_t nvs_get_blob(nvs_handle_t handle, const char* key, void* out, size_t* size)
{
	esp_err_t error = note("blob", handle * 1000 + (unsigned)key[0], (long long)*size);
	memset(out, 1, (size_t)length);
	*size = (size_t)length;
	return error;
}
void nvs_close(nvs_handle_t handle) { note("handle-closed", handle, 0); }

const esp_app_desc_t* esp_app_get_description(void) { description.secure_version = (uint32_t)version; return &description; }
const esp_partition_t* esp_ota_get_running_partition(void) { return &partition; }
const esp_partition_t* esp_ota_get_next_update_partition(const esp_partition_t* from) { return next && from == NULL ? &partition : NULL; }
esp_err_t esp_ota_get_state_partition(const esp_partition_t* of, esp_ota_img_states_t* out)
{
	*out = (esp_ota_img_states_t)state;
	return note("state", of->number, 0);
}
esp_err_t esp_ota_get_partition_description(const esp_partition_t* of, esp_app_desc_t* out)
{
	out->secure_version = (uint32_t)version;
	return note("description", of->number, 0);
}
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void) { return note("accept", 0, 0); }
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void) { return note("reject", 0, 0); }

static int call(const char* name, const unsigned* n)
{
	static uint8_t record[128];
	if (strcmp(name, "wakeCause") == 0) return wakeCause();
	if (strcmp(name, "lightSleep") == 0) return lightSleep((int)n[0], n[1], n[2]);
	if (strcmp(name, "deepSleep") == 0) return deepSleep(n[0], n[1], n[2], n[3], n[4]);
	if (strcmp(name, "pinsAwake") == 0) return pinsAwake(n[0], n[1]);
	if (strcmp(name, "watchdogStart") == 0) return watchdogStart(n[0]);
	if (strcmp(name, "watchdogFeed") == 0) return watchdogFeed();
	if (strcmp(name, "identityRead") == 0) return identityRead(record);
	if (strcmp(name, "otaState") == 0) return otaState();
	if (strcmp(name, "otaAccept") == 0) return otaAccept();
	if (strcmp(name, "otaReject") == 0) return otaReject();
	if (strcmp(name, "runningVersion") == 0) return (int)runningVersion();
	return strcmp(name, "nextVersion") == 0 ? nextVersion() : -99;
}

int main(void)
{
	char line[200], name[60];
	while (fgets(line, sizeof line, stdin) != NULL) {
		unsigned n[5] = { 0 };
		unsigned long long pins;
		if (sscanf(line, "low %lli", (long long*)&pins) == 1) {
			levels = ~pins;
			continue;
		}
		if (sscanf(line, "doze %lli", (long long*)&pins) == 1) {
			doze(~pins);
			continue;
		}
		if (sscanf(line, "fail %59s %i", failing, &failure) == 2 || sscanf(line, "causes %i", (int*)&causes) == 1 ||
		    sscanf(line, "state %i", &state) == 1 || sscanf(line, "next %i", &next) == 1 || sscanf(line, "version %i", &version) == 1 ||
		    sscanf(line, "keys %i", &keys) == 1 || sscanf(line, "length %i", &length) == 1)
			continue;
		if (sscanf(line, "%59s %u %u %u %u %u", name, &n[0], &n[1], &n[2], &n[3], &n[4]) >= 1)
			printf("%s = %d\n", name, call(name, n));
	}
	return 0;
}
