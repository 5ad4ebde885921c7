// A model of what stands on both sides of radio.c. On one side NimBLE: its task calls listeners first, then the connection's callback, and
// serves ATT as soon as a link is up. On the other the SDK's server: it posts to JavaScript, which keeps the list of connections, and it
// stops the program ("null pointer") where the real one would follow one. Each line of the input is one thing that happens, each line of
// the output one that the server or NimBLE saw.

#include "model.h"
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 12
#define MESSAGES 64

static struct ble_hs_conn connections[CONNECTIONS];
static struct ble_gap_event_listener* listening;
static pthread_mutex_t hostLock = PTHREAD_MUTEX_INITIALIZER;

// ---- JavaScript: a list, a queue, and a thread that is in no hurry

static pthread_mutex_t queueLock = PTHREAD_MUTEX_INITIALIZER;
static struct ble_gap_event queue[MESSAGES];
static int first, last, isDeaf, isTaking = 1;
static uint16_t listed[CONNECTIONS];
static int count;

static int find(uint16_t handle)
{
	for (int i = count - 1; i >= 0; i--)
		if (listed[i] == handle)
			return i;
	return -1;
}

static void mustFind(uint16_t handle)
{
	if (find(handle) >= 0)
		return;
	printf("null pointer\n");
	fflush(stdout);
	_exit(0);
}

static void deliver(const struct ble_gap_event* event)
{
	if (event->type == BLE_GAP_EVENT_CONNECT) {
		listed[count++] = event->connect.conn_handle;
		printf("js connect %d\n", event->connect.conn_handle);
		if (isTaking)
			gapTaken();
	} else if (event->type == BLE_GAP_EVENT_DISCONNECT) {
		int at = find(event->disconnect.conn.conn_handle);
		if (at < 0)
			return;
		printf("js disconnect %d\n", event->disconnect.conn.conn_handle);
		memmove(&listed[at], &listed[at + 1], (size_t)(--count - at) * sizeof listed[0]);
		if (isTaking)
			gapTaken();
	} else {
		mustFind(event->subscribe.conn_handle);
		printf("js subscribe %d\n", event->subscribe.conn_handle);
	}
}

static void* javaScript(void* argument)
{
	for (;;) {
		usleep(5000);
		pthread_mutex_lock(&queueLock);
		while (first != last && !isDeaf)
			deliver(&queue[first++ % MESSAGES]);
		pthread_mutex_unlock(&queueLock);
	}
	return argument;
}

static void post(const struct ble_gap_event* event)
{
	pthread_mutex_lock(&queueLock);
	queue[last++ % MESSAGES] = *event;
	pthread_mutex_unlock(&queueLock);
}

// ---- the SDK's server

static int serverEvent(struct ble_gap_event* event, void* argument)
{
	if (argument != &queue)
		printf("wrong argument\n");
	if (event->type == BLE_GAP_EVENT_NOTIFY_TX)
		printf("sent %d\n", event->notify_tx.status);
	else if (event->type == BLE_GAP_EVENT_MTU) {
		mustFind(event->mtu.conn_handle);
		printf("mtu %d\n", event->mtu.conn_handle);
	} else if (event->type != BLE_GAP_EVENT_CONNECT || event->connect.status == 0)
		post(event);
	return 0;
}

static int serverAccess(uint16_t handle, uint16_t attribute, struct ble_gatt_access_ctxt* context, void* argument)
{
	(void)context, (void)argument;
	mustFind(handle);
	printf("access %d %d\n", handle, attribute);
	return 0;
}

static int secret, isRandom, isShown, failure;

/** It asks once for the kind of address, and advertises under that one. */
static void serverSync(void)
{
	isRandom = secret != 0;
	printf("ready %s\n", isRandom ? "random" : "public");
}

struct ble_hs_cfg ble_hs_cfg = { serverSync };

static int ownAccess(uint16_t handle, uint16_t attribute, struct ble_gatt_access_ctxt* context, void* argument)
{
	(void)attribute, (void)context, (void)argument;
	printf("own access %d\n", handle);
	return 0;
}

static const ble_uuid_t LONG = { BLE_UUID_TYPE_128 }, SHORT = { BLE_UUID_TYPE_16 };
static struct ble_gatt_dsc_def descriptors[] = { { &LONG, serverAccess }, { NULL, NULL } };
static struct ble_gatt_chr_def characteristics[] = { { &LONG, serverAccess, NULL }, { &LONG, serverAccess, descriptors }, { NULL, NULL, NULL } };
static const struct ble_gatt_chr_def ownCharacteristics[] = { { &SHORT, ownAccess, NULL }, { NULL, NULL, NULL } };
static const struct ble_gatt_svc_def services[] = { { &SHORT, ownCharacteristics }, { &LONG, characteristics } };

// ---- NimBLE

int ble_gap_event_listener_register(struct ble_gap_event_listener* listener, ble_gap_event_fn* fn, void* argument)
{
	listener->fn = fn;
	listener->arg = argument;
	listening = listener;
	return 0;
}

struct ble_hs_conn* ble_hs_conn_find(uint16_t handle)
{
	for (int i = 0; i < CONNECTIONS; i++)
		if (connections[i].isUp && connections[i].bhc_handle == handle)
			return &connections[i];
	return NULL;
}

int ble_gap_set_event_cb(uint16_t handle, ble_gap_event_fn* fn, void* argument)
{
	struct ble_hs_conn* connection = ble_hs_conn_find(handle);
	if (connection == NULL)
		return BLE_HS_ENOTCONN;
	connection->bhc_cb = fn;
	connection->bhc_cb_arg = argument;
	return 0;
}

int ble_gap_terminate(uint16_t handle, uint8_t reason)
{
	printf("terminate %d %d\n", handle, reason);
	return ble_hs_conn_find(handle) == NULL ? BLE_HS_ENOTCONN : 0;
}

int ble_gap_adv_stop(void)
{
	int wasShown = isShown;
	if (failure < 0)
		return -failure;
	isShown = 0;
	return wasShown ? 0 : BLE_HS_EALREADY;
}

int ble_hs_id_gen_rnd(int nrpa, ble_addr_t* out)
{
	static uint8_t count;
	if (failure == 1)
		return 9;
	*out = (ble_addr_t){ 1, { ++count, 0, 0, 0, 0, nrpa ? 0 : 0xc0 } };
	return 0;
}

int ble_hs_id_set_rnd(const uint8_t* address)
{
	if (isShown || failure == 2)
		return 12;
	secret = address[5] == 0xc0 ? address[0] : 0;
	return 0;
}

/** The server's, as JavaScript asks for it. */
static void show(void)
{
	isShown = 1;
	printf("shown %d\n", isRandom ? secret : 0);
}

/** The controller is reset, and loses what it knew. */
static void reset(void)
{
	isShown = secret = 0;
	ble_hs_cfg.sync_cb();
}

void ble_gatts_lcl_svc_foreach(ble_gatt_svc_foreach_fn fn, void* argument)
{
	for (int i = 0; i < 2; i++)
		fn(&services[i], 0, 0, argument);
}

void ble_hs_lock(void)
{
	pthread_mutex_lock(&hostLock);
}

void ble_hs_unlock(void)
{
	pthread_mutex_unlock(&hostLock);
}

static void tell(struct ble_gap_event* event, uint16_t handle)
{
	if (listening != NULL)
		listening->fn(event, listening->arg);
	struct ble_hs_conn* connection = ble_hs_conn_find(handle);
	if (connection != NULL)
		connection->bhc_cb(event, connection->bhc_cb_arg);
}

static void up(uint16_t handle)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		if (connections[i].isUp)
			continue;
		connections[i] = (struct ble_hs_conn){ .bhc_handle = handle, .bhc_cb = serverEvent, .bhc_cb_arg = &queue, .isUp = 1 };
		return;
	}
}

static void down(uint16_t handle)
{
	struct ble_hs_conn* connection = ble_hs_conn_find(handle);
	if (connection == NULL)
		return;
	connection->isUp = 0;
	struct ble_gap_event event = { .type = BLE_GAP_EVENT_DISCONNECT, .disconnect = { .conn = { handle } } };
	if (listening != NULL)
		listening->fn(&event, listening->arg);
	connection->bhc_cb(&event, connection->bhc_cb_arg);
}

static void happen(const char* what, uint16_t handle, int value)
{
	struct ble_gap_event event;
	memset(&event, 0, sizeof event);
	event.connect.conn_handle = handle;
	if (strcmp(what, "connect") == 0) {
		event.type = BLE_GAP_EVENT_CONNECT;
		event.connect.status = value;
	} else if (strcmp(what, "mtu") == 0) {
		event.type = BLE_GAP_EVENT_MTU;
		event.mtu.conn_handle = handle;
	} else if (strcmp(what, "subscribe") == 0) {
		event.type = BLE_GAP_EVENT_SUBSCRIBE;
		event.subscribe.conn_handle = handle;
	} else {
		event.type = BLE_GAP_EVENT_NOTIFY_TX;
		event.notify_tx.conn_handle = handle;
		event.notify_tx.status = value;
		event.notify_tx.indication = strcmp(what, "indicated") == 0;
	}
	tell(&event, handle);
}

// ---- FreeRTOS

SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t* buffer)
{
	pthread_mutex_init(&buffer->mutex, NULL);
	pthread_cond_init(&buffer->given, NULL);
	buffer->count = 0;
	return buffer;
}

int xSemaphoreTake(SemaphoreHandle_t semaphore, unsigned ticks)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)ticks * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&semaphore->mutex);
	while (semaphore->count == 0)
		if (pthread_cond_timedwait(&semaphore->given, &semaphore->mutex, &until) != 0)
			break;
	int isTaken = semaphore->count;
	semaphore->count = 0;
	pthread_mutex_unlock(&semaphore->mutex);
	return isTaken;
}

int xSemaphoreGive(SemaphoreHandle_t semaphore)
{
	pthread_mutex_lock(&semaphore->mutex);
	semaphore->count = 1;
	pthread_cond_signal(&semaphore->given);
	pthread_mutex_unlock(&semaphore->mutex);
	return pdTRUE;
}

int main(void)
{
	char what[20];
	int handle, value;
	pthread_t thread;
	pthread_create(&thread, NULL, javaScript, NULL);
	while (scanf("%19s %d %d", what, &handle, &value) == 3) {
		struct ble_gatt_access_ctxt context = { 0 };
		if (strcmp(what, "listen") == 0)
			printf("listen %d\n", gapListen());
		else if (strcmp(what, "address") == 0)
			printf("address %d\n", gapAddress());
		else if (strcmp(what, "show") == 0)
			show();
		else if (strcmp(what, "reset") == 0)
			reset();
		else if (strcmp(what, "fail") == 0)
			failure = handle - value;
		else if (strcmp(what, "up") == 0)
			up((uint16_t)handle);
		else if (strcmp(what, "down") == 0)
			down((uint16_t)handle);
		else if (strcmp(what, "access") == 0)
			printf("answer %d\n", characteristics[value].access_cb((uint16_t)handle, (uint16_t)value, &context, NULL));
		else if (strcmp(what, "descriptor") == 0)
			printf("answer %d\n", descriptors[0].access_cb((uint16_t)handle, 9, &context, NULL));
		else if (strcmp(what, "own") == 0)
			ownCharacteristics[0].access_cb((uint16_t)handle, 0, &context, NULL);
		else if (strcmp(what, "handle") == 0)
			printf("handle %d\n", gapHandle((uint32_t)handle));
		else if (strcmp(what, "end") == 0)
			printf("end %d\n", gapTerminate((uint32_t)handle));
		else if (strcmp(what, "deaf") == 0)
			isDeaf = handle;
		else if (strcmp(what, "taking") == 0)
			isTaking = handle;
		else if (strcmp(what, "rest") == 0)
			usleep(30000);
		else
			happen(what, (uint16_t)handle, value);
	}
	usleep(30000);
	fflush(stdout);
	_exit(0);
}
