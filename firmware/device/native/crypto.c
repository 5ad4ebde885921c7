// The crypto port of the lock in C. The library is libsodium: it is reviewed, works in constant time where keys are secret, allocates
// nothing, and ESP-IDF has it as a component; Ed25519 in JavaScript takes a lock seconds, and the engine's own modules have none.
//
// It is bound by the manifest's "ffi" and not as a class of the engine's `Native`: plain C that knows nothing of the engine compiles and is
// tested on any machine with libsodium, keeps no handle that a garbage collector could move, and cannot throw. The bridge gives it the
// addresses of buffers; so it must never call back, keep an address, or write to anything but `out`. Lengths were checked by ../crypto.ts.

#include "native.h"

#include <sodium.h>

/** What cryptoStart gives when the library does not start, and when it was built with other hash states than its headers say. */
#define NOT_STARTED (-1)
#define OTHER_STATES (-2)

int32_t cryptoStart(void)
{
	if (sodium_init() < 0)
		return NOT_STARTED;
	return crypto_auth_hmacsha256_statebytes() == sizeof(crypto_auth_hmacsha256_state) ? 0 : OTHER_STATES;
}

void sha256(uint8_t* out, uint8_t* data, uint32_t at, uint32_t length)
{
	crypto_hash_sha256(out, data + at, length);
}

void hmacSha256(uint8_t* out, uint8_t* key, uint32_t keyAt, uint32_t keyLength, uint8_t* data, uint32_t at, uint32_t length)
{
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, key + keyAt, keyLength);
	crypto_auth_hmacsha256_update(&state, data + at, length);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof state);
}

void ed25519PublicKey(uint8_t* out, uint8_t* seed, uint32_t seedAt)
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	crypto_sign_seed_keypair(out, secret, seed + seedAt);
	sodium_memzero(secret, sizeof secret);
}

void ed25519Sign(uint8_t* out, uint8_t* message, uint32_t at, uint32_t length, uint8_t* seed, uint32_t seedAt)
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES], key[crypto_sign_PUBLICKEYBYTES];
	crypto_sign_seed_keypair(key, secret, seed + seedAt);
	crypto_sign_detached(out, NULL, message + at, length, secret);
	sodium_memzero(secret, sizeof secret);
}

// Up to 1.0.22 the library's equation has no cofactor, as that of all backends of the project; a later version needs another look, and the
// vectors say so.
int32_t ed25519Check(uint8_t* signature, uint32_t signatureAt, uint8_t* message, uint32_t at, uint32_t length, uint8_t* key, uint32_t keyAt)
{
	return crypto_sign_verify_detached(signature + signatureAt, message + at, length, key + keyAt) == 0;
}

void seal(uint8_t* out, uint8_t* key, uint32_t keyAt, uint8_t* nonce, uint32_t nonceAt, uint8_t* aad, uint32_t aadAt, uint32_t aadLength,
          uint8_t* plain, uint32_t at, uint32_t length)
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain + at, length, aad + aadAt, aadLength, NULL, nonce + nonceAt, key + keyAt);
}

int32_t unseal(uint8_t* out, uint8_t* key, uint32_t keyAt, uint8_t* nonce, uint32_t nonceAt, uint8_t* aad, uint32_t aadAt,
               uint32_t aadLength, uint8_t* sealed, uint32_t at, uint32_t length)
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed + at, length, aad + aadAt, aadLength, nonce + nonceAt,
	                                                  key + keyAt) == 0;
}
