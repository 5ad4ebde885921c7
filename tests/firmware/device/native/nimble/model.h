// As much of NimBLE and of FreeRTOS as radio.c uses, in its shapes, for a program on this machine: it waits a tenth as long.

#ifndef TUMBLER_MODEL_H
#define TUMBLER_MODEL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define BLE_ATT_ERR_UNLIKELY 0x0e
#define BLE_ERR_REM_USER_CONN_TERM 0x13
#define BLE_HS_EALREADY 2
#define BLE_HS_EINVAL 3
#define BLE_HS_ENOTCONN 7
#define BLE_HS_CONN_HANDLE_NONE 0xffff
#define BLE_UUID_TYPE_16 16
#define BLE_UUID_TYPE_128 128

enum {
	BLE_GAP_EVENT_CONNECT,
	BLE_GAP_EVENT_DISCONNECT,
	BLE_GAP_EVENT_NOTIFY_TX,
	BLE_GAP_EVENT_SUBSCRIBE,
	BLE_GAP_EVENT_MTU,
};

struct ble_gap_event {
	uint8_t type;
	union {
		struct { int status; uint16_t conn_handle; } connect;
		struct { int reason; struct { uint16_t conn_handle; } conn; } disconnect;
		struct { int status; uint16_t conn_handle; uint8_t indication : 1; } notify_tx;
		struct { uint16_t conn_handle; } subscribe;
		struct { uint16_t conn_handle; uint16_t value; } mtu;
	};
};
typedef int ble_gap_event_fn(struct ble_gap_event* event, void* argument);
struct ble_gap_event_listener { ble_gap_event_fn* fn; void* arg; };
int ble_gap_event_listener_register(struct ble_gap_event_listener* listener, ble_gap_event_fn* fn, void* argument);
int ble_gap_set_event_cb(uint16_t handle, ble_gap_event_fn* fn, void* argument);
int ble_gap_terminate(uint16_t handle, uint8_t reason);
int ble_gap_adv_stop(void);

typedef struct { uint8_t type, val[6]; } ble_addr_t;
int ble_hs_id_gen_rnd(int nrpa, ble_addr_t* out);
int ble_hs_id_set_rnd(const uint8_t* address);
typedef void ble_hs_sync_fn(void);
struct ble_hs_cfg { ble_hs_sync_fn* sync_cb; };
extern struct ble_hs_cfg ble_hs_cfg;

typedef struct { uint8_t type; } ble_uuid_t;
struct ble_gatt_access_ctxt { int operation; };
typedef int ble_gatt_access_fn(uint16_t handle, uint16_t attribute, struct ble_gatt_access_ctxt* context, void* argument);
struct ble_gatt_dsc_def { const ble_uuid_t* uuid; ble_gatt_access_fn* access_cb; };
struct ble_gatt_chr_def { const ble_uuid_t* uuid; ble_gatt_access_fn* access_cb; struct ble_gatt_dsc_def* descriptors; };
struct ble_gatt_svc_def { const ble_uuid_t* uuid; const struct ble_gatt_chr_def* characteristics; };
typedef void (*ble_gatt_svc_foreach_fn)(const struct ble_gatt_svc_def* service, uint16_t handle, uint16_t end, void* argument);
void ble_gatts_lcl_svc_foreach(ble_gatt_svc_foreach_fn fn, void* argument);

struct ble_hs_conn { uint16_t bhc_handle; ble_gap_event_fn* bhc_cb; void* bhc_cb_arg; int isUp; };
struct ble_hs_conn* ble_hs_conn_find(uint16_t handle);
void ble_hs_lock(void);
void ble_hs_unlock(void);

typedef struct { pthread_mutex_t mutex; pthread_cond_t given; int count; } StaticSemaphore_t;
typedef StaticSemaphore_t* SemaphoreHandle_t;
#define pdTRUE 1
#define pdMS_TO_TICKS(ms) ((ms) / 10)
SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t* buffer);
int xSemaphoreTake(SemaphoreHandle_t semaphore, unsigned ticks);
int xSemaphoreGive(SemaphoreHandle_t semaphore);

#endif
