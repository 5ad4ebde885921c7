// Between NimBLE and the SDK's GATT server. That server looks connections up in a list that JavaScript keeps, and takes for granted that it
// finds them. But ATT is served as soon as a link stands; NimBLE tells of the connection only after it has asked the peer for version and
// features, and the list knows of it only after the lock's turn. A client that is quick (Windows asks for its MTU at once) would follow a null
// pointer and restart the chip. So here whatever comes of a connection waits until JavaScript knows it:
//  - the first sign of a connection is told to the server as its beginning, at once, and NimBLE's task waits until JavaScript has taken it;
//  - after its end NimBLE's task waits again, so that it never walks the list while JavaScript takes an entry out of it;
//  - one that JavaScript does not take, since word of it was lost or the lock's turn is far too long, is ended, and is served nothing.
// It is NimBLE's task that waits, as it does in the SDK whenever a characteristic is read or written; JavaScript never waits for that task.
// All of this runs on NimBLE's task, except for the functions of native.h and the word of a notification sent, which come from JavaScript's.
//
// And that server advertises under the chip's own address, by which anybody knows the lock again whatever else it shows. But when NimBLE is in
// step with the controller, the server asks for the kind of address to use, and NimBLE prefers a random one where there is any. So there is.

#include "native.h"

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "host/ble_gap.h"
#include "host/ble_gatt.h"
#include "host/ble_hs.h"
#include "host/ble_uuid.h"
#include "ble_hs_conn_priv.h"
#include "ble_hs_priv.h"
#include <stdatomic.h>

/** Connections that the server knows: more than any board allows. */
#define PLACES 8
#if CONFIG_BT_NIMBLE_MAX_CONNECTIONS > PLACES
#error "more connections than places"
#endif
#define LONGEST_WAIT_MS 10000

static struct ble_gap_event_listener listener;
static ble_gap_event_fn* serverEvent;
static void* serverArgument;
static ble_gatt_access_fn* serverAccess;

static StaticSemaphore_t takenBuffer;
static SemaphoreHandle_t taken;

/** A connection: its handle plus one, zero for a free place, and which one it is since boot. */
static struct {
	atomic_uint handle;
	atomic_uint number;
	int isLost;
} known[PLACES];
static unsigned beginnings;

/** What the server does when NimBLE is in step with the controller: it asks for an address, and gets ready. */
static ble_hs_sync_fn* serverSync;

/** The place of a handle plus one, or of zero; PLACES for none. */
static int placeOf(unsigned handle)
{
	int place = 0;
	while (place < PLACES && known[place].handle != handle)
		place++;
	return place;
}

/** Tells the server, and waits until JavaScript has dealt with it; whether it has. */
static int tellAndWait(struct ble_gap_event* event)
{
	xSemaphoreTake(taken, 0);
	serverEvent(event, serverArgument);
	return xSemaphoreTake(taken, pdMS_TO_TICKS(LONGEST_WAIT_MS)) == pdTRUE;
}

static void forget(uint16_t handle)
{
	int place = placeOf(handle + 1u);
	if (place < PLACES)
		known[place].handle = 0;
}

/** Stands between a connection and the server, from the connection's beginning. */
static int passOn(struct ble_gap_event* event, void* argument)
{
	(void)argument;
	switch (event->type) {
	case BLE_GAP_EVENT_CONNECT:
		return 0; // It was told before.
	case BLE_GAP_EVENT_DISCONNECT:
		forget(event->disconnect.conn.conn_handle);
		tellAndWait(event);
		return 0;
	case BLE_GAP_EVENT_NOTIFY_TX:
		// The server hears of a notification that failed by the result as well, and would free it twice.
		if (!event->notify_tx.indication && event->notify_tx.status != 0)
			return 0;
		break;
	}
	return serverEvent(event, serverArgument);
}

/** Stands before a connection that JavaScript did not take: the server hears of its end alone. */
static int passEnd(struct ble_gap_event* event, void* argument)
{
	(void)argument;
	if (event->type != BLE_GAP_EVENT_DISCONNECT)
		return 0;
	forget(event->disconnect.conn.conn_handle);
	return serverEvent(event, serverArgument);
}

/** Makes sure that the server knows this connection; whether it does. No event of the server's comes before this one. */
static int begin(uint16_t handle)
{
	int place = placeOf(handle + 1u);
	if (place < PLACES)
		return !known[place].isLost;
	place = placeOf(0);
	ble_hs_lock();
	struct ble_hs_conn* connection = ble_hs_conn_find(handle);
	if (connection != NULL && place < PLACES) {
		serverEvent = connection->bhc_cb;
		serverArgument = connection->bhc_cb_arg;
		connection->bhc_cb = passOn;
	}
	ble_hs_unlock();
	if (connection == NULL || place == PLACES)
		return 0;
	known[place].number = beginnings++;
	known[place].handle = handle + 1u;
	struct ble_gap_event event = { .type = BLE_GAP_EVENT_CONNECT, .connect = { .status = 0, .conn_handle = handle } };
	known[place].isLost = !tellAndWait(&event);
	if (known[place].isLost) {
		ble_gap_set_event_cb(handle, passEnd, NULL);
		ble_gap_terminate(handle, BLE_ERR_REM_USER_CONN_TERM);
	}
	return !known[place].isLost;
}

/** NimBLE calls it before the callback of the connection. */
static int onEvent(struct ble_gap_event* event, void* argument)
{
	(void)argument;
	// Whatever the status: a peer that does not tell its version is connected all the same.
	if (event->type == BLE_GAP_EVENT_CONNECT)
		begin(event->connect.conn_handle);
	else if (event->type == BLE_GAP_EVENT_MTU)
		begin(event->mtu.conn_handle);
	else if (event->type == BLE_GAP_EVENT_SUBSCRIBE)
		begin(event->subscribe.conn_handle);
	return 0;
}

/** Stands before the server's characteristics and descriptors. A read of NimBLE's own has no connection, and nothing to find. */
static int onAccess(uint16_t handle, uint16_t attribute, struct ble_gatt_access_ctxt* context, void* argument)
{
	return begin(handle) ? serverAccess(handle, attribute, context, argument) : BLE_ATT_ERR_UNLIKELY;
}

/**
 * The server's services have identifiers of 128 bits, NimBLE's own have 16 and are left alone. What NimBLE calls const here the server
 * allocated itself; there is no other way in.
 */
static void guardService(const struct ble_gatt_svc_def* service, uint16_t handle, uint16_t end, void* argument)
{
	(void)handle, (void)end, (void)argument;
	if (service->uuid->type != BLE_UUID_TYPE_128 || service->characteristics == NULL)
		return;
	for (struct ble_gatt_chr_def* one = (struct ble_gatt_chr_def*)service->characteristics; one->uuid != NULL; one++) {
		serverAccess = one->access_cb;
		one->access_cb = onAccess;
		if (one->descriptors == NULL)
			continue;
		for (struct ble_gatt_dsc_def* below = one->descriptors; below->uuid != NULL; below++)
			below->access_cb = onAccess;
	}
}

/** Takes a new random address, while nothing is advertised; 0, or an error of NimBLE. It has the static kind, which every central connects to. */
static int takeAddress(void)
{
	ble_addr_t address;
	int error = ble_hs_id_gen_rnd(0, &address);
	return error != 0 ? error : ble_hs_id_set_rnd(address.val);
}

/** A reset of the controller loses the address, too. */
static void onSync(void)
{
	takeAddress();
	serverSync();
}

int32_t gapListen(void)
{
	if (taken != NULL)
		return 0;
	int error = ble_gap_event_listener_register(&listener, onEvent, NULL);
	if (error != 0)
		return resultOf(error);
	taken = xSemaphoreCreateBinaryStatic(&takenBuffer);
	ble_gatts_lcl_svc_foreach(guardService, NULL);
	serverSync = ble_hs_cfg.sync_cb;
	ble_hs_cfg.sync_cb = onSync;
	error = takeAddress();
	if (error != 0)
		return resultOf(error);
	// The server has asked already, before anybody could come before it: it asks again.
	serverSync();
	return 1;
}

int32_t gapAddress(void)
{
	int error = ble_gap_adv_stop();
	return resultOf(error != 0 && error != BLE_HS_EALREADY ? error : takeAddress());
}

void gapTaken(void)
{
	if (taken != NULL)
		xSemaphoreGive(taken);
}

int32_t gapHandle(uint32_t n)
{
	for (int place = 0; place < PLACES; place++) {
		unsigned handle = known[place].handle;
		if (handle != 0 && known[place].number == n)
			return (int32_t)(handle - 1);
	}
	return -1;
}

int32_t gapTerminate(uint32_t handle)
{
	return handle > UINT16_MAX ? resultOf(BLE_HS_EINVAL) : resultOf(ble_gap_terminate((uint16_t)handle, BLE_ERR_REM_USER_CONN_TERM));
}
