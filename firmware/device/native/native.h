// The lock's functions in C, as the manifest's "ffi" binds them. Nothing here is const: the bridge's types have none, and each declaration
// says the same as the one that the bridge makes. Buffers come with an offset and a length, in bytes; whoever calls has checked them.
//
// A function that can fail gives int32_t: 0 or more when it went well, otherwise the negative number of ESP-IDF's esp_err_t, or of NimBLE in
// the part "radio". What each one does, with units, stands in ../native.ts.

#ifndef TUMBLER_NATIVE_H
#define TUMBLER_NATIVE_H

#include <stdint.h>

// crypto.c
int32_t cryptoStart(void);
void sha256(uint8_t* out, uint8_t* data, uint32_t at, uint32_t length);
void hmacSha256(uint8_t* out, uint8_t* key, uint32_t keyAt, uint32_t keyLength, uint8_t* data, uint32_t at, uint32_t length);
void ed25519PublicKey(uint8_t* out, uint8_t* seed, uint32_t seedAt);
void ed25519Sign(uint8_t* out, uint8_t* message, uint32_t at, uint32_t length, uint8_t* seed, uint32_t seedAt);
int32_t ed25519Check(uint8_t* signature, uint32_t signatureAt, uint8_t* message, uint32_t at, uint32_t length, uint8_t* key, uint32_t keyAt);
void seal(uint8_t* out, uint8_t* key, uint32_t keyAt, uint8_t* nonce, uint32_t nonceAt, uint8_t* aad, uint32_t aadAt, uint32_t aadLength,
          uint8_t* plain, uint32_t at, uint32_t length);
int32_t unseal(uint8_t* out, uint8_t* key, uint32_t keyAt, uint8_t* nonce, uint32_t nonceAt, uint8_t* aad, uint32_t aadAt,
               uint32_t aadLength, uint8_t* sealed, uint32_t at, uint32_t length);

// random.c
int32_t randomStart(void);
void fillRandom(uint8_t* buffer, uint32_t at, uint32_t length);

// chip.c
double uptimeMs(void);
void restart(void);
int32_t resetReason(void);
uint32_t freeHeap(void);
int32_t chipFacts(uint8_t* out);

// identity.c
int32_t identityRead(uint8_t* out);

// power.c
int32_t wakeCause(void);
int32_t lightSleep(int32_t on, uint32_t pinsLow, uint32_t pinsHigh);
int32_t deepSleep(uint32_t seconds, uint32_t columnsLow, uint32_t columnsHigh, uint32_t rowsLow, uint32_t rowsHigh);
int32_t pinsAwake(uint32_t low, uint32_t high);
int32_t watchdogStart(uint32_t seconds);
int32_t watchdogFeed(void);

// update.c
int32_t otaState(void);
int32_t otaAccept(void);
int32_t otaReject(void);
uint32_t runningVersion(void);
int32_t nextVersion(void);

// radio.c
int32_t gapListen(void);
int32_t gapAddress(void);
void gapTaken(void);
int32_t gapHandle(uint32_t n);
int32_t gapTerminate(uint32_t handle);

/** The result of a call of ESP-IDF as these functions give it: 0, or a negative number. ESP_FAIL is -1 already. */
static inline int32_t resultOf(int32_t error)
{
	return error > 0 ? -error : error;
}

#endif
