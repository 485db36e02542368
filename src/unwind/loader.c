/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the loader can take away, and how to notice.
 *
 * Permanent is what the program needs by its DT_NEEDED entries, and what that needs in turn: the
 * loader maps these at the start and dlclose() never unmaps them. Link maps of permanent modules
 * are never freed, so their addresses identify them. The list of modules begins with the program
 * and has each one behind the first that needs it, so one pass finds them; the first of a name is
 * the one, what has the same name later came by dlopen().
 *
 * Any other module is identified by everything cheap that can differ: link map, addresses, unwind
 * table, and the build-id, which stands for its contents. Each identity met gets an id and an
 * entry in a table that only grows; an entry is written once, before its state says READY. To see
 * whether an identity still holds takes one _dl_find_object() and a look at the build-id where it
 * was: nothing the loader does is hidden from that, and no lock is needed.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>

#include "rule.h"
#include "stackdepot/unwind.h"

#define PERMANENT_MAX 1024
#define NEEDED_MAX 2048
#define IDENTITIES 1024 /* a power of two */
#define BUILD_ID_MAX 32
#define PAGE 4096u /* the smallest there is */

static const void *_Atomic permanent[PERMANENT_MAX]; /* link maps, open addressing */

static uint32_t pointer_hash(const void *pointer)
{
	return (uint32_t)(((uintptr_t)pointer >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

bool unwind_loader_is_permanent(const void *link_map)
{
	uint32_t i, at = pointer_hash(link_map);

	for (i = 0; i < PERMANENT_MAX; i++, at++) {
		const void *known =
			atomic_load_explicit(&permanent[at % PERMANENT_MAX], memory_order_relaxed);

		if (!known || known == link_map)
			return known != NULL;
	}
	return false;
}

/* One slot always stays empty, so that searches end. */
static bool permanent_add(const void *link_map, unsigned int nr)
{
	uint32_t at = pointer_hash(link_map);

	if (nr >= PERMANENT_MAX - 1)
		return false;
	while (atomic_load_explicit(&permanent[at % PERMANENT_MAX], memory_order_relaxed))
		at++;
	atomic_store_explicit(&permanent[at % PERMANENT_MAX], link_map, memory_order_relaxed);
	return true;
}

/* --- which modules are permanent ------------------------------------------------------------ */

struct needed {
	unsigned int visited;
	unsigned int permanent;
	unsigned int nr;
	const char *names[NEEDED_MAX]; /* in permanent modules; NULL once found */
};

static bool needed_take(struct needed *needed, const char *name)
{
	bool found = false;
	unsigned int i;

	for (i = 0; name && i < needed->nr; i++) {
		if (needed->names[i] && !strcmp(needed->names[i], name)) {
			needed->names[i] = NULL;
			found = true;
		}
	}
	return found;
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

/* The loader relocates the addresses in .dynamic, but where that is read-only. */
static const char *dynamic_strings(const ElfW(Dyn) * dynamic, uintptr_t bias)
{
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_STRTAB)
			return (const char *)(dynamic->d_un.d_ptr < bias
						      ? dynamic->d_un.d_ptr + bias
						      : dynamic->d_un.d_ptr);
	}
	return NULL;
}

static const char *dynamic_soname(const ElfW(Dyn) * dynamic, const char *strings)
{
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_SONAME)
			return strings + dynamic->d_un.d_val;
	}
	return NULL;
}

static void needed_add(struct needed *needed, const ElfW(Dyn) * dynamic, const char *strings)
{
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_NEEDED && needed->nr < NEEDED_MAX)
			needed->names[needed->nr++] = strings + dynamic->d_un.d_val;
	}
}

static int visit(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct needed *needed = argument;
	const ElfW(Dyn) *dynamic = NULL;
	const char *strings = NULL;
	struct dl_find_object object;
	bool wanted = !needed->visited++;
	void *code = NULL;
	unsigned int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		if (header->p_type == PT_DYNAMIC)
			dynamic = (const void *)(info->dlpi_addr + header->p_vaddr);
		else if (header->p_type == PT_LOAD && (header->p_flags & PF_X))
			code = (void *)(info->dlpi_addr + header->p_vaddr);
	}
	if (dynamic)
		strings = dynamic_strings(dynamic, info->dlpi_addr);
	if (strings) { /* both, as each may be what a DT_NEEDED names */
		wanted |= needed_take(needed, dynamic_soname(dynamic, strings));
		wanted |= needed_take(needed, base_name(info->dlpi_name));
	}
	if (!wanted || _dl_find_object(code, &object))
		return 0;
	if (permanent_add(object.dlfo_link_map, needed->permanent))
		needed->permanent++;
	if (strings)
		needed_add(needed, dynamic, strings);
	return 0;
}

void stackdepot_unwind_setup(void)
{
	static struct needed needed;
	static atomic_flag begun = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&begun))
		dl_iterate_phdr(visit, &needed);
}

/* --- the others ------------------------------------------------------------------------------ */

enum {
	EMPTY,
	FILLING,
	READY,
};

struct unwind_identity {
	_Atomic uint32_t state;
	uint32_t id;
	const void *link_map;
	uintptr_t start;
	uintptr_t end;
	const uint8_t *header;
	const uint8_t *build_id_at; /* in the module's first page; NULL: elsewhere */
	uint32_t build_id_bytes;
	uint8_t build_id[BUILD_ID_MAX];
};

static struct unwind_identity identities[IDENTITIES];

/* Is [address, address + size) in a segment of the module that can be read? */
static bool segment_has(const ElfW(Phdr) * headers, unsigned int nr, uintptr_t bias,
			uintptr_t address, size_t size)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		uintptr_t start = bias + headers[i].p_vaddr;

		if (headers[i].p_type == PT_LOAD && (headers[i].p_flags & PF_R) &&
		    address >= start && address - start <= headers[i].p_filesz &&
		    headers[i].p_filesz - (address - start) >= size)
			return true;
	}
	return false;
}

static uint32_t note_build_id(struct unwind_reader r, const uint8_t **ret_build_id)
{
	while (!r.bad && r.at < r.end) {
		uint32_t name_bytes = read_u32(&r), bytes = read_u32(&r), type = read_u32(&r);
		const uint8_t *name = read_skip(&r, ((uint64_t)name_bytes + 3) & ~(uint64_t)3);
		const uint8_t *data = read_skip(&r, ((uint64_t)bytes + 3) & ~(uint64_t)3);

		if (r.bad || type != NT_GNU_BUILD_ID || name_bytes != 4 || memcmp(name, "GNU", 4))
			continue;
		if (bytes < 8 || bytes > BUILD_ID_MAX)
			return 0;
		*ret_build_id = data;
		return bytes;
	}
	return 0;
}

static uint32_t module_build_id(uintptr_t start, const uint8_t **ret_build_id)
{
	const ElfW(Ehdr) *elf = (const void *)start;
	const ElfW(Phdr) *headers = (const void *)(start + elf->e_phoff);
	uintptr_t bias = start;
	uint32_t i, bytes = 0;

	if (memcmp(elf->e_ident, ELFMAG, SELFMAG) || elf->e_phentsize != sizeof(*headers) ||
	    elf->e_phoff + elf->e_phnum * sizeof(*headers) > PAGE)
		return 0;
	for (i = 0; i < elf->e_phnum; i++) {
		if (headers[i].p_type == PT_LOAD) {
			bias -= headers[i].p_vaddr & ~(uintptr_t)(PAGE - 1);
			break;
		}
	}
	for (i = 0; i < elf->e_phnum && !bytes; i++) {
		const uint8_t *at = (const uint8_t *)(bias + headers[i].p_vaddr);
		struct unwind_reader r = {at, at + headers[i].p_filesz, false, 0};

		if (headers[i].p_type == PT_NOTE && headers[i].p_align <= 4 &&
		    segment_has(headers, elf->e_phnum, bias, (uintptr_t)at, headers[i].p_filesz))
			bytes = note_build_id(r, ret_build_id);
	}
	return bytes;
}

/*
 * Does the module at @identity's addresses have its build-id? What is in its first page can be
 * read, whatever module it is, as the header is there. Other bytes of another module that are the
 * same by chance are as likely as two equal build-ids.
 */
static bool build_id_is(const struct unwind_identity *identity)
{
	const uint8_t *at = identity->build_id_at;

	if (!at && module_build_id(identity->start, &at) != identity->build_id_bytes)
		return false;
	return !memcmp(at, identity->build_id, identity->build_id_bytes);
}

static void identity_fill(struct unwind_identity *identity, const void *link_map,
			  const struct unwind_module *module, const uint8_t *build_id,
			  uint32_t bytes)
{
	identity->id = unwind_module_id();
	identity->link_map = link_map;
	identity->start = module->start;
	identity->end = module->end;
	identity->header = module->header;
	identity->build_id_at =
		(uintptr_t)build_id - module->start <= PAGE - bytes ? build_id : NULL;
	identity->build_id_bytes = bytes;
	memcpy(identity->build_id, build_id, bytes);
	/* pairs with the acquire in unwind_loader_identity() */
	atomic_store_explicit(&identity->state, READY, memory_order_release);
}

/* Two threads may enter one module twice, under two ids; that costs space and nothing else. */
const struct unwind_identity *unwind_loader_identity(const void *link_map,
						     const struct unwind_module *module)
{
	uint32_t i, bytes, at = pointer_hash(link_map);
	const uint8_t *build_id;

	for (i = 0; i < IDENTITIES; i++, at++) {
		struct unwind_identity *identity = &identities[at % IDENTITIES];
		/* pairs with the release in identity_fill(): else a half written one is read */
		uint32_t state = atomic_load_explicit(&identity->state, memory_order_acquire);

		bytes = state == EMPTY ? module_build_id(module->start, &build_id) : 0;
		if (state == EMPTY && !bytes)
			return NULL;
		if (bytes && atomic_compare_exchange_strong_explicit(&identity->state, &state,
								     FILLING, memory_order_acquire,
								     memory_order_acquire)) {
			identity_fill(identity, link_map, module, build_id, bytes);
			return identity;
		}
		if (state == READY && identity->link_map == link_map &&
		    identity->start == module->start && identity->end == module->end &&
		    identity->header == module->header && build_id_is(identity))
			return identity;
	}
	return NULL;
}

uint32_t unwind_identity_id(const struct unwind_identity *identity)
{
	return identity->id;
}

bool unwind_identity_key(const struct unwind_identity *identity, uintptr_t pc, uint64_t *ret_key)
{
	*ret_key = rule_unloadable_key(identity->id, pc - identity->start);
	return pc - 1 - identity->start < identity->end - identity->start &&
	       pc - identity->start <= UINT32_MAX;
}

bool unwind_identity_has(const struct unwind_identity *identity, uintptr_t code)
{
	return code - identity->start < identity->end - identity->start;
}

bool unwind_identity_holds(const struct unwind_identity *identity)
{
	struct dl_find_object object;

	return !_dl_find_object((void *)identity->start, &object) &&
	       object.dlfo_link_map == identity->link_map &&
	       (uintptr_t)object.dlfo_map_start == identity->start &&
	       (uintptr_t)object.dlfo_map_end == identity->end &&
	       object.dlfo_eh_frame == identity->header && build_id_is(identity);
}

uint64_t unwind_loader_modules(void)
{
	uint64_t nr = 0;
	uint32_t i;

	for (i = 0; i < IDENTITIES; i++)
		nr += atomic_load_explicit(&identities[i].state, memory_order_relaxed) == READY;
	return nr;
}
