// One XS machine behind two pipes: the tests' own host for the engine. It runs programs, hands over requests, and reads
// the engine's counters. Both directions carry frames: 4 bytes of length, little endian, then one byte of kind, then the rest.
//
//   in   'e' program text          runs it as a strict script; answers with its completion value
//        'r' bytes                 calls the global function handleRequest(Uint8Array); answers with the bytes that it returns
//        'h'                       collects garbage; answers with what is then in use
//        'p'                       makes every buffer, map, set and date of the machine read-only, as preloading does; answers 'u'
//        'c' results               what the global function nextResult() gives from here on, call by call: for each its length, 2 bytes,
//                                  big endian, and its bytes as a Uint8Array; of length 0xFFFF: undefined; answers 'u'
//        'k' slots                 leaves so many stack slots from here on, 4 bytes, little endian; answers 'u'
//        'w' interval              answers with the most that was live, and the deepest stack, since the last such frame, and watches on:
//                                  every so many steps of the meter; 4 bytes, little endian, 0 for not at all
//   out  's' meter \n text         a value that is not bytes, as a string        'u' meter \n     undefined
//        'b' meter \n bytes        an ArrayBuffer or a view                      '!' text         an exception
//        'h' meter                 the heap                                      'w' peaks        what was watched
//
// Programs are changed after compilation the way the linker changes those of a board: code and string constants stay where
// they are (there: in flash), so a function or a constant takes no chunk. What is counted is what would be in RAM.
//
// The heap is given for the board's layout: slots of 16 bytes, chunk headers of 8. A 64-bit build has wider pointers,
// so the chunks that hold slots or pointers are found and counted at the narrow size; on a 32-bit build nothing is changed.

#include "xsAll.h"
#include "xsScript.h"

extern void fxRemapIDs(txMachine* the, txByte* code, txSize size, txID* ids);
extern void fxRunLoop(txMachine* the);
extern txInteger _xsmcGetBuffer(txMachine* the, txSlot* slot, void** data, txUnsigned* count, txBoolean writable);
extern void fx_harden(txMachine* the);
extern void fx_lockdown(txMachine* the);

#define BOARD_SLOT_BYTES 16
#define BOARD_CHUNK_HEADER_BYTES 8
#define BOARD_POINTER_BYTES 4

static FILE* fromTests;
static FILE* toTests;

typedef struct {
	txU4 compute;
	txSize slots;
	txSize chunkBytes;
} Counters;

static void die(const char* why)
{
	fprintf(stderr, "%s\n", why);
	exit(2);
}

// Frames

static txByte* readFrame(txSize* size)
{
	txU1 head[4];
	if (fread(head, 1, 4, fromTests) < 4)
		return NULL;
	*size = head[0] | (head[1] << 8) | (head[2] << 16) | ((txSize)head[3] << 24);
	txByte* body = malloc((size_t)*size + 1);
	if (!body || (fread(body, 1, *size, fromTests) < (size_t)*size))
		die("a frame is cut short");
	body[*size] = 0;
	return body;
}

static void writeFrame(char kind, const char* text, const void* data, size_t size)
{
	size_t textSize = strlen(text);
	size_t total = 1 + textSize + size;
	txU1 head[5] = { total & 255, (total >> 8) & 255, (total >> 16) & 255, (total >> 24) & 255, kind };
	fwrite(head, 1, 5, toTests);
	fwrite(text, 1, textSize, toTests);
	fwrite(data, 1, size, toTests);
	if (fflush(toTests) != 0)
		die("the tests have gone");
}

// Programs

static void keepInPlace(txByte* code, txSize size)
{
	txByte* p = code;
	txByte* end = code + size;
	while (p < end) {
		txU1 byte = *(txU1*)p;
		txS1 length = gxCodeSizes[byte];
		if ((XS_CODE_CODE_1 <= byte) && (byte <= XS_CODE_CODE_4))
			*p = byte + (XS_CODE_CODE_ARCHIVE_1 - XS_CODE_CODE_1);
		else if ((XS_CODE_STRING_1 <= byte) && (byte <= XS_CODE_STRING_4))
			*p = byte + (XS_CODE_STRING_ARCHIVE_1 - XS_CODE_STRING_1);
		p++;
		if (length > 0)
			p += length - 1;
		else if (length == 0)
			p += sizeof(txID);
		else if (length == -1)
			p += 1 + *(txU1*)p;
		else if (length == -2) {
			txU2 count;
			mxDecode2(p, count);
			p += count;
		}
		else {
			txS4 count;
			mxDecode4(p, count);
			p += count;
		}
	}
}

static void nameKeys(txMachine* the, txScript* script)
{
	txByte* p = script->symbolsBuffer;
	txID count, i;
	mxDecodeID(p, count);
	txID* ids = malloc(count * sizeof(txID));
	ids[0] = XS_NO_ID;
	for (i = 1; i < count; i++) {
		ids[i] = fxNewNameX(the, (txString)p);
		p += strlen((char*)p) + 1;
	}
	fxRemapIDs(the, script->codeBuffer, script->codeSize, ids);
	free(ids);
	script->symbolsBuffer = NULL;
}

// Compiles the text and gives the size of the bytecode. The code is never freed: functions run in it.
static txScript* compile(txMachine* the, char* text, txSize size)
{
	txStringCStream stream = { text, 0, size };
	txScript* script = fxParseScript(the, &stream, fxStringCGetter, mxProgramFlag | mxStrictFlag);
	if (!script)
		mxSyntaxError("invalid script");
	if (script->symbolsBuffer)
		nameKeys(the, script);
	keepInPlace(script->codeBuffer, script->codeSize);
	return script;
}

static void runProgram(txMachine* the, txScript* script)
{
	txSlot* realm = mxModuleInstanceInternal(mxProgram.value.reference)->value.module.realm;
	fxRunScript(the, script, mxRealmGlobal(realm), C_NULL, mxRealmClosures(realm)->value.reference, C_NULL, mxProgram.value.reference);
	mxPullSlot(mxResult);
}

static void callHandler(txMachine* the, txSlot* bytes)
{
	mxPush(mxGlobal);
	mxDub();
	mxGetID(fxNewNameX(the, "handleRequest"));
	mxCall();
	mxPushSlot(bytes);
	mxRunCount(1);
	mxPullSlot(mxResult);
}

static void newBytes(txMachine* the, txByte* data, txSize size, txSlot* into)
{
	fxArrayBuffer(the, into, data, size, -1);
	mxPush(mxUint8ArrayConstructor);
	mxNew();
	mxPushSlot(into);
	mxRunCount(1);
	mxPullSlot(into);
}

// Answers

// Without a collection in between, what is in use only grows: if the peak of the call is not its end, the engine collected.
static void writeMeter(txMachine* the, Counters* before, txSize bytecodeBytes, txU4 compute, char* text, size_t size)
{
	int collected = (the->peakHeapCount != the->currentHeapCount) || (the->peakChunksSize != the->currentChunksSize);
	snprintf(text, size, "{\"compute\":%u,\"slots\":%d,\"chunkBytes\":%d,\"collected\":%s,\"bytecodeBytes\":%d}\n",
		compute - before->compute, (int)(the->currentHeapCount - before->slots),
		(int)(the->currentChunksSize - before->chunkBytes), collected ? "true" : "false", (int)bytecodeBytes);
}

static Counters readCounters(txMachine* the)
{
	the->peakHeapCount = the->currentHeapCount;
	the->peakChunksSize = the->currentChunksSize;
	return (Counters){ the->meterIndex, the->currentHeapCount, the->currentChunksSize };
}

static txBoolean isBytes(txSlot* slot)
{
	if (slot->kind != XS_REFERENCE_KIND)
		return 0;
	txSlot* internal = slot->value.reference->next;
	return internal && (internal->flag & XS_INTERNAL_FLAG) && ((internal->kind == XS_ARRAY_BUFFER_KIND)
		|| (internal->kind == XS_TYPED_ARRAY_KIND) || (internal->kind == XS_DATA_VIEW_KIND));
}

static void writeResult(txMachine* the, const char* meter)
{
	if (mxResult->kind == XS_UNDEFINED_KIND)
		writeFrame('u', meter, "", 0);
	else if (isBytes(mxResult)) {
		void* data;
		txUnsigned size;
		_xsmcGetBuffer(the, mxResult, &data, &size, 0);
		writeFrame('b', meter, data, size);
	}
	else {
		txString text = fxToString(the, mxResult);
		writeFrame('s', meter, text, strlen(text));
	}
}

static void writeException(txMachine* the)
{
	mxTry(the) {
		mxPush(mxException);
		if (the->stack->kind == XS_REFERENCE_KIND) {
			mxDub();
			mxGetID(fxNewNameX(the, "stack"));
			if (!mxIsStringPrimitive(the->stack))
				mxPop();
		}
		txString text = fxToString(the, the->stack);
		writeFrame('!', "", text, strlen(text));
	}
	mxCatch(the) {
		writeFrame('!', "", "an exception without a text", 27);
	}
	mxException = mxUndefined;
}

static void evaluate(txMachine* the, char* text, txSize size)
{
	char meter[256];
	fxBeginHost(the);
	mxTry(the) {
		txScript* script = compile(the, text, size);
		txSize bytecodeBytes = script->codeSize;
		Counters before = readCounters(the);
		runProgram(the, script);
		fxRunLoop(the);
		writeMeter(the, &before, bytecodeBytes, the->meterIndex, meter, sizeof(meter));
		writeResult(the, meter);
	}
	mxCatch(the) {
		writeException(the);
	}
	fxEndHost(the);
}

static void request(txMachine* the, txByte* data, txSize size)
{
	char meter[256];
	fxBeginHost(the);
	mxTry(the) {
		txSlot* bytes;
		mxTemporary(bytes);
		newBytes(the, data, size, bytes);
		Counters before = readCounters(the);
		callHandler(the, bytes);
		fxRunLoop(the);
		writeMeter(the, &before, 0, the->meterIndex, meter, sizeof(meter));
		writeResult(the, meter);
	}
	mxCatch(the) {
		writeException(the);
	}
	fxEndHost(the);
}

// The heap

static txSize chunkSize(void* data)
{
	return ((txChunk*)((txByte*)data - sizeof(txChunk)))->size;
}

// The bytes by which the chunk that this slot owns is wider here than on the board, its header aside.
static txSize extraBytes(txSlot* slot)
{
	switch (slot->kind) {
	case XS_ARGUMENTS_SLOPPY_KIND:
	case XS_ARGUMENTS_STRICT_KIND:
	case XS_ARRAY_KIND:
	case XS_STACK_KIND:
		if (!slot->value.array.address)
			return 0;
		return (chunkSize(slot->value.array.address) / sizeof(txSlot)) * (sizeof(txSlot) - BOARD_SLOT_BYTES);
	case XS_GLOBAL_KIND:
	case XS_MAP_KIND:
	case XS_SET_KIND:
		return slot->value.table.length * (sizeof(txSlot*) - BOARD_POINTER_BYTES);
	default:
		return 0;
	}
}

static txSize extraBytesOfSlots(txMachine* the)
{
	txSize extra = 0;
	txSlot* heap;
	for (heap = the->firstHeap; heap; heap = heap->next) {
		txSlot* limit = heap->value.reference;
		txSlot* slot;
		for (slot = heap + 1; slot < limit; slot++)
			extra += extraBytes(slot);
	}
	return extra;
}

static txSize countChunks(txMachine* the)
{
	txSize count = 0;
	txBlock* block;
	for (block = the->firstBlock; block; block = block->nextBlock) {
		txByte* chunk = (txByte*)block + sizeof(txBlock);
		while (chunk < block->current) {
			count++;
			chunk += ((txChunk*)chunk)->size;
		}
	}
	return count;
}

// The chunks in use at the board's widths, right after a collection.
static txSize boardChunkBytes(txMachine* the)
{
	txSize headers = countChunks(the) * (sizeof(txChunk) - BOARD_CHUNK_HEADER_BYTES);
	return the->currentChunksSize - headers - extraBytesOfSlots(the);
}

static void writeHeap(txMachine* the)
{
	char text[256];
	fxCollectGarbage(the);
	txSize chunkBytes = boardChunkBytes(the);
	snprintf(text, sizeof(text), "{\"slots\":%d,\"chunkBytes\":%d,\"bytes\":%d,\"nativeChunkBytes\":%d,\"bits\":%d}",
		(int)the->currentHeapCount, (int)chunkBytes, (int)(the->currentHeapCount * BOARD_SLOT_BYTES + chunkBytes),
		(int)the->currentChunksSize, (int)(8 * sizeof(void*)));
	writeFrame('h', text, "", 0);
}

// Results of calls that some other program made: they are not in the heap until they are asked for

static txByte* results;
static txSize resultsSize;
static txSize resultsAt;

static void nextResult(txMachine* the)
{
	txU1* p = (txU1*)results + resultsAt;
	if (resultsAt + 2 > resultsSize)
		mxTypeError("more calls than there are results");
	txSize size = (p[0] << 8) | p[1];
	resultsAt += 2;
	if (size == 0xFFFF)
		return;
	newBytes(the, results + resultsAt, size, mxResult);
	resultsAt += size;
}

static void takeResults(txMachine* the, txByte* data, txSize size)
{
	static const char* few = "fewer calls than there are results";
	if (resultsAt != resultsSize) {
		writeFrame('!', "", few, strlen(few));
		return;
	}
	results = realloc(results, size + 1);
	memcpy(results, data, size);
	resultsSize = size;
	resultsAt = 0;
	writeFrame('u', "{}\n", "", 0);
}

// The peak: what is live, garbage aside, at the worst moment

#define UNTOUCHED ((txKind)0x6E)
// No call leaves so many slots of its frame as they were.
#define GAP 32

static struct {
	txSize slots;
	txSize chunkBytes;
	txSize bytes;
	// In the widths of this build.
	txSize nativeChunkBytes;
	txSize nativeBytes;
} peak;

static txSize larger(txSize a, txSize b)
{
	return a > b ? a : b;
}

// The engine calls it between two instructions, where it may collect. As long as all that is in use, garbage included, is no more
// than the peak, what is live is no more either; only beyond that garbage has to go before it can be told. What lived and died
// between two samples is not seen, so the interval says how sharp the picture is.
static txBoolean samplePeak(txMachine* the, txU4 index)
{
	if ((the->currentHeapCount <= peak.slots) && (the->currentChunksSize <= peak.nativeChunkBytes)
		&& (the->currentHeapCount * sizeof(txSlot) + the->currentChunksSize <= peak.nativeBytes))
		return 1;
	if (!(the->collectFlag & XS_COLLECTING_FLAG))
		return 1;
	fxCollectGarbage(the);
	txSize chunkBytes = boardChunkBytes(the);
	peak.slots = larger(peak.slots, the->currentHeapCount);
	peak.chunkBytes = larger(peak.chunkBytes, chunkBytes);
	peak.bytes = larger(peak.bytes, the->currentHeapCount * BOARD_SLOT_BYTES + chunkBytes);
	peak.nativeChunkBytes = larger(peak.nativeChunkBytes, the->currentChunksSize);
	peak.nativeBytes = larger(peak.nativeBytes, the->currentHeapCount * sizeof(txSlot) + the->currentChunksSize);
	return 1;
}

// Slots below the top of the stack are whatever the last call left there.
static void paintStack(txMachine* the)
{
	txSlot* slot;
	for (slot = the->stackBottom; slot < the->stack; slot++)
		slot->kind = UNTOUCHED;
}

// Searched from the top: the engine takes the far end for scratch memory when it writes numbers.
static txSize deepestStack(txMachine* the)
{
	txSlot* slot = the->stack;
	txSlot* deepest = slot;
	while ((slot > the->stackBottom) && (deepest - slot < GAP)) {
		slot--;
		if (slot->kind != UNTOUCHED)
			deepest = slot;
	}
	return the->stack - deepest;
}

static txU4 number(txByte* bytes, txSize size)
{
	txU1* p = (txU1*)bytes;
	if (size != 4)
		die("a frame with a number of another size");
	return p[0] | (p[1] << 8) | (p[2] << 16) | ((txU4)p[3] << 24);
}

static void watch(txMachine* the, txU4 interval)
{
	char text[256];
	snprintf(text, sizeof(text), "{\"slots\":%d,\"chunkBytes\":%d,\"bytes\":%d,\"stackSlots\":%d}", (int)peak.slots,
		(int)peak.chunkBytes, (int)peak.bytes, (int)deepestStack(the));
	memset(&peak, 0, sizeof(peak));
	paintStack(the);
	the->meterCallback = samplePeak;
	the->meterInterval = interval;
	the->meterCount = the->meterIndex + interval;
	writeFrame('w', text, "", 0);
}

// The stack of an idle machine holds its built-ins' prototypes, which a board's machine has in flash: what is left is beyond these.
static void limitStack(txMachine* the, txU4 slots)
{
	if ((txSize)slots > the->stack - the->stackBottom)
		die("a stack cannot grow");
	the->stackBottom = the->stack - slots;
	writeFrame('u', "{}\n", "", 0);
}

// Preloading

static void makeReadOnly(txSlot* slot)
{
	switch (slot->kind) {
	case XS_ARRAY_BUFFER_KIND:
	case XS_DATE_KIND:
	case XS_MAP_KIND:
	case XS_SET_KIND:
	case XS_WEAK_MAP_KIND:
	case XS_WEAK_SET_KIND:
		slot->flag |= XS_DONT_SET_FLAG;
		break;
	}
}

static void preload(txMachine* the)
{
	txSlot* heap;
	fxCollectGarbage(the);
	for (heap = the->firstHeap; heap; heap = heap->next) {
		txSlot* limit = heap->value.reference;
		txSlot* slot;
		for (slot = heap + 1; slot < limit; slot++)
			makeReadOnly(slot);
	}
	writeFrame('u', "{}\n", "", 0);
}

// The machine

static void addGlobal(txMachine* the, txCallback callback, txString name)
{
	fxNewHostFunction(the, callback, 1, XS_NO_ID, XS_NO_ID);
	mxPush(mxGlobal);
	mxSetID(fxNewNameX(the, name));
	mxPop();
}

static void serve(txMachine* the)
{
	txByte* frame;
	txSize size;
	while ((frame = readFrame(&size))) {
		if (*frame == 'e')
			evaluate(the, (char*)frame + 1, size - 1);
		else if (*frame == 'r')
			request(the, frame + 1, size - 1);
		else if (*frame == 'h')
			writeHeap(the);
		else if (*frame == 'p')
			preload(the);
		else if (*frame == 'c')
			takeResults(the, frame + 1, size - 1);
		else if (*frame == 'k')
			limitStack(the, number(frame + 1, size - 1));
		else if (*frame == 'w')
			watch(the, number(frame + 1, size - 1));
		else
			die("a frame of an unknown kind");
		free(frame);
	}
}

static txSize argument(char* argv[], int index, txSize otherwise)
{
	txSize value = atoi(argv[index]);
	return value ? value : otherwise;
}

// xs-worker SLOTS CHUNK_BYTES STACK: a heap of that size which cannot grow, or 0 0 for as much as is asked for; stack slots.
int main(int argc, char* argv[])
{
	if (argc != 4)
		die("usage: xs-worker SLOTS CHUNK_BYTES STACK");
	txBoolean isFixed = atoi(argv[1]) != 0;
	txCreation creation = {
		.initialChunkSize = argument(argv, 2, 32 * 1024 * 1024),
		.incrementalChunkSize = isFixed ? 0 : 4 * 1024 * 1024,
		.initialHeapCount = argument(argv, 1, 256 * 1024),
		.incrementalHeapCount = isFixed ? 0 : 128 * 1024,
		.stackCount = argument(argv, 3, 4096),
		.initialKeyCount = 16000,
		.incrementalKeyCount = 0,
		.nameModulo = 1993,
		.symbolModulo = 127,
		.parserBufferSize = 8 * 1024 * 1024,
		.parserTableModulo = 1993,
	};
	fromTests = fdopen(3, "rb");
	toTests = fdopen(4, "wb");
	if (!fromTests || !toTests)
		die("xs-worker is started by the tests, with pipes at 3 and 4");
	fxInitializeSharedCluster();
	txMachine* the = fxCreateMachine(&creation, "tumbler", C_NULL, XS_NO_ID);
	if (!the)
		die("memory full: no machine");
	int status = 0;
	mxTry(the) {
		fxBeginHost(the);
		addGlobal(the, fx_harden, "harden");
		addGlobal(the, fx_lockdown, "lockdown");
		addGlobal(the, nextResult, "nextResult");
		fxEndHost(the);
		serve(the);
	}
	mxCatch(the) {
		status = 1;
	}
	if (the->abortStatus == XS_NOT_ENOUGH_MEMORY_EXIT)
		die("memory full");
	if (the->abortStatus == XS_STACK_OVERFLOW_EXIT)
		die("stack overflow");
	if (the->abortStatus || status)
		die("the engine has stopped");
	return 0;
}
