// Sleep and the watchdog. In deep sleep the keypad stays alive in the chip's always-on part: rows high, columns pulled down, and any column
// that goes high wakes the chip; awake, rows are driven low one at a time, which is the reverse, as the ESP32 cannot wake on "any pin low".
// Whatever cannot be set up is an error, and then the chip does not sleep: a lock that slept without a way to be woken would be dead.

#include "native.h"

#include "driver/gpio.h"
#include "driver/rtc_io.h"
#include "esp_pm.h"
#include "esp_sleep.h"
#include "esp_task_wdt.h"
#include "sdkconfig.h"
#include "soc/gpio_struct.h"

#define US_PER_S 1000000ULL
#define PINS 64

enum { WAKE_NONE, WAKE_TIMER, WAKE_PIN, WAKE_OTHER };

int32_t wakeCause(void)
{
	uint32_t causes = esp_sleep_get_wakeup_causes();
	if (causes & (1u << ESP_SLEEP_WAKEUP_EXT1))
		return WAKE_PIN;
	if (causes & (1u << ESP_SLEEP_WAKEUP_TIMER))
		return WAKE_TIMER;
	return (causes & ~(1u << ESP_SLEEP_WAKEUP_UNDEFINED)) == 0 ? WAKE_NONE : WAKE_OTHER;
}

static uint64_t maskOf(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

#if CONFIG_PM_ENABLE && CONFIG_PM_LIGHT_SLEEP_CALLBACKS

// In light sleep the chip sees no edge, and only the level of a pin wakes it; awake, a level that stays would interrupt without end. So pins
// are watched for their level from just before each sleep until just after it, and one that has come down meanwhile is told to the SDK as the
// edge that it was. A pin that stays down, a stuck key, is told once and then keeps the chip awake no more.
// Both callbacks run on the idle task, with interrupts off: they must not wait, and the SDK's interrupt comes right after them.

/** Pins that a touch pulls low. The SDK has them interrupt at their falling edge. */
static uint64_t touched;
/** Those that were low already when they were looked at last: nobody needs to be told. */
static uint64_t wasLow;

/** Which of these are low now. */
static uint64_t lowOf(uint64_t pins)
{
	uint64_t low = 0;
	for (int pin = 0; pin < PINS; pin++)
		if ((pins >> pin & 1) != 0 && gpio_get_level((gpio_num_t)pin) == 0)
			low |= 1ULL << pin;
	return low;
}

static esp_err_t beforeSleep(int64_t us, void* argument)
{
	(void)us, (void)argument;
	wasLow = lowOf(wasLow);
	uint64_t watched = touched & ~wasLow;
	for (int pin = 0; pin < PINS; pin++)
		if ((watched >> pin & 1) != 0)
			gpio_wakeup_enable((gpio_num_t)pin, GPIO_INTR_LOW_LEVEL);
	return ESP_OK;
}

static esp_err_t afterSleep(int64_t us, void* argument)
{
	(void)us, (void)argument;
	for (int pin = 0; pin < PINS; pin++) {
		if ((touched >> pin & 1) == 0)
			continue;
		gpio_wakeup_disable((gpio_num_t)pin);
		gpio_set_intr_type((gpio_num_t)pin, GPIO_INTR_NEGEDGE);
	}
	uint64_t low = lowOf(touched);
	uint64_t fallen = low & ~wasLow;
	wasLow = low;
	if ((uint32_t)fallen != 0)
		GPIO.status_w1ts = (uint32_t)fallen;
	if (fallen >> 32 != 0)
		GPIO.status1_w1ts.val = (uint32_t)(fallen >> 32);
	return ESP_OK;
}

/** Has these pins wake the chip, the same ones each time: a sleep may just be ending on the other core. */
static esp_err_t watchTouches(uint64_t pins)
{
	if (pins == 0)
		return ESP_ERR_INVALID_ARG;
	for (int pin = 0; pin < PINS; pin++)
		if ((pins >> pin & 1) != 0 && !GPIO_IS_VALID_GPIO(pin))
			return ESP_ERR_INVALID_ARG;
	if (touched == 0) {
		esp_pm_sleep_cbs_register_config_t callbacks = { .enter_cb = beforeSleep, .exit_cb = afterSleep };
		esp_err_t error = esp_pm_light_sleep_register_cbs(&callbacks);
		if (error != ESP_OK)
			return error;
		touched = pins;
	}
	if (touched != pins)
		return ESP_ERR_INVALID_STATE;
	// What is down now was told by its edge, or was down at the boot and is nobody's touch.
	wasLow = lowOf(pins);
	return esp_sleep_enable_gpio_wakeup();
}

int32_t lightSleep(int32_t on, uint32_t pinsLow, uint32_t pinsHigh)
{
	esp_pm_config_t config;
	esp_err_t error = on ? watchTouches(maskOf(pinsLow, pinsHigh)) : ESP_OK;
	if (error == ESP_OK)
		error = esp_pm_get_configuration(&config);
	if (error != ESP_OK)
		return resultOf(error);
	config.light_sleep_enable = on != 0;
	return resultOf(esp_pm_configure(&config));
}

#else

int32_t lightSleep(int32_t on, uint32_t pinsLow, uint32_t pinsHigh)
{
	(void)pinsLow, (void)pinsHigh;
	return on ? resultOf(ESP_ERR_NOT_SUPPORTED) : 0;
}

#endif

/** Does `work` with every pin of the mask, until one fails. */
static esp_err_t eachPin(uint64_t pins, esp_err_t (*work)(gpio_num_t))
{
	for (int pin = 0; pin < PINS; pin++) {
		if ((pins >> pin & 1) == 0)
			continue;
		if (!rtc_gpio_is_valid_gpio((gpio_num_t)pin))
			return ESP_ERR_INVALID_ARG;
		esp_err_t error = work((gpio_num_t)pin);
		if (error != ESP_OK)
			return error;
	}
	return ESP_OK;
}

/** A row, asleep: high. */
static esp_err_t holdHigh(gpio_num_t pin)
{
	esp_err_t error = rtc_gpio_init(pin);
	if (error == ESP_OK)
		error = rtc_gpio_set_direction(pin, RTC_GPIO_MODE_OUTPUT_ONLY);
	if (error == ESP_OK)
		error = rtc_gpio_set_level(pin, 1);
	return error == ESP_OK ? rtc_gpio_hold_en(pin) : error;
}

/** A column, asleep: pulled down, watched. */
static esp_err_t watch(gpio_num_t pin)
{
	esp_err_t error = rtc_gpio_init(pin);
	if (error == ESP_OK)
		error = rtc_gpio_set_direction(pin, RTC_GPIO_MODE_INPUT_ONLY);
	if (error == ESP_OK)
		error = rtc_gpio_pullup_dis(pin);
	return error == ESP_OK ? rtc_gpio_pulldown_en(pin) : error;
}

/** Takes all pins back, whatever becomes of one of them; the first error. */
static esp_err_t wake(uint64_t pins)
{
	esp_err_t first = ESP_OK;
	for (int pin = 0; pin < PINS; pin++) {
		if ((pins >> pin & 1) == 0)
			continue;
		esp_err_t error = rtc_gpio_is_valid_gpio((gpio_num_t)pin) ? rtc_gpio_hold_dis((gpio_num_t)pin) : ESP_ERR_INVALID_ARG;
		if (error == ESP_OK)
			error = rtc_gpio_deinit((gpio_num_t)pin);
		if (first == ESP_OK)
			first = error;
	}
	return first;
}

int32_t pinsAwake(uint32_t low, uint32_t high)
{
	return resultOf(wake(maskOf(low, high)));
}

int32_t deepSleep(uint32_t seconds, uint32_t columnsLow, uint32_t columnsHigh, uint32_t rowsLow, uint32_t rowsHigh)
{
	uint64_t columns = maskOf(columnsLow, columnsHigh);
	uint64_t rows = maskOf(rowsLow, rowsHigh);
	if (columns == 0 || (columns & rows) != 0)
		return resultOf(ESP_ERR_INVALID_ARG);
	// The timer of the last light sleep would still be set.
	esp_sleep_disable_wakeup_source(ESP_SLEEP_WAKEUP_ALL);
	esp_err_t error = eachPin(rows, holdHigh);
	if (error == ESP_OK)
		error = eachPin(columns, watch);
	if (error == ESP_OK)
		error = esp_sleep_pd_config(ESP_PD_DOMAIN_RTC_PERIPH, ESP_PD_OPTION_ON);
	if (error == ESP_OK)
		error = esp_sleep_enable_ext1_wakeup_io(columns, ESP_EXT1_WAKEUP_ANY_HIGH);
	if (error == ESP_OK && seconds > 0)
		error = esp_sleep_enable_timer_wakeup(seconds * US_PER_S);
	if (error == ESP_OK)
		error = esp_deep_sleep_try_to_start();
	// Still awake.
	esp_sleep_disable_wakeup_source(ESP_SLEEP_WAKEUP_ALL);
	wake(columns | rows);
	return resultOf(error);
}

#if CONFIG_ESP_TASK_WDT_EN

static esp_task_wdt_user_handle_t turn = NULL;

int32_t watchdogStart(uint32_t seconds)
{
	if (turn != NULL || seconds == 0 || seconds > UINT32_MAX / 1000)
		return resultOf(turn != NULL ? ESP_ERR_INVALID_STATE : ESP_ERR_INVALID_ARG);
	// The SDK's own tasks feed the same watchdog as often as the configuration says: it is never made shorter than that.
	if (seconds < CONFIG_ESP_TASK_WDT_TIMEOUT_S)
		seconds = CONFIG_ESP_TASK_WDT_TIMEOUT_S;
	esp_task_wdt_config_t config = { .timeout_ms = seconds * 1000, .idle_core_mask = 0, .trigger_panic = true };
	esp_err_t error = esp_task_wdt_init(&config);
	if (error == ESP_ERR_INVALID_STATE)
		error = esp_task_wdt_reconfigure(&config);
	if (error == ESP_OK)
		error = esp_task_wdt_add_user("lock", &turn);
	return resultOf(error);
}

int32_t watchdogFeed(void)
{
	return turn == NULL ? resultOf(ESP_ERR_INVALID_STATE) : resultOf(esp_task_wdt_reset_user(turn));
}

#else

int32_t watchdogStart(uint32_t seconds)
{
	(void)seconds;
	return resultOf(ESP_ERR_NOT_SUPPORTED);
}

int32_t watchdogFeed(void)
{
	return resultOf(ESP_ERR_NOT_SUPPORTED);
}

#endif
