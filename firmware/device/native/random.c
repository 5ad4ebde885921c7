// Random bytes. The chip's generator gives true ones only while a radio or the noise of its converter feeds it, and a lock that a key woke
// needs some before its radio is on. So a pool takes in noise at boot, and every answer is made of the pool and the generator together: it is
// as good as the better of the two, and the pool moves on, so that whoever reads it later learns nothing of what it gave before.

#include "native.h"

#include "bootloader_random.h"
#include "esp_random.h"
#include <sodium.h>

static uint8_t pool[crypto_hash_sha256_BYTES];

/** Half of it is what was there, half is new. */
static void stir(uint8_t seed[crypto_hash_sha256_BYTES])
{
	uint8_t both[2 * sizeof pool];
	for (unsigned i = 0; i < sizeof pool; i++)
		both[i] = pool[i];
	esp_fill_random(both + sizeof pool, sizeof pool);
	crypto_hash_sha256(seed, both, sizeof both);
	sodium_memzero(both, sizeof both);
}

int32_t randomStart(void)
{
	if (sodium_init() < 0)
		return -1;
	bootloader_random_enable();
	stir(pool);
	bootloader_random_disable();
	return 0;
}

void fillRandom(uint8_t* buffer, uint32_t at, uint32_t length)
{
	uint8_t seed[randombytes_SEEDBYTES];
	stir(seed);
	crypto_hash_sha256(pool, seed, sizeof seed);
	randombytes_buf_deterministic(buffer + at, length, seed);
	sodium_memzero(seed, sizeof seed);
}
