/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "chain.h"

static const unsigned int changes_untold;
const unsigned int *unwind_chain_changes = &changes_untold;

void stackdepot_unwind_changes_by(const unsigned int *changes)
{
	__atomic_store_n(&unwind_chain_changes, changes ? changes : &changes_untold,
			 __ATOMIC_RELEASE);
}

/* Is the module loaded? Asked for once in a walk. */
static inline bool module_loaded(struct unwind_chain_modules *modules, size_t i)
{
	modules->known = true;
	if (modules->holds[i] == MODULE_UNKNOWN)
		modules->holds[i] = unwind_identity_holds(modules->identity[i])
					    ? unwind_identity_id(modules->identity[i])
					    : MODULE_GONE;
	return modules->holds[i] != MODULE_GONE;
}

bool unwind_chain_ask(struct stackdepot_unwinder *u, const struct unwind_check *check)
{
	size_t i = (size_t)(check->slot - u->modules.holds);

	return module_loaded(&u->modules, i) && *check->slot == check->word;
}

uint32_t unwind_chain_module_code(struct stackdepot_unwinder *u, uintptr_t pc,
				  const struct unwind_identity **ret_identity)
{
	struct unwind_chain_modules *modules = &u->modules;
	uint64_t key;
	uint32_t i;

	for (i = 0; i < modules->nr; i++) {
		*ret_identity = modules->identity[i];
		if (unwind_identity_key(*ret_identity, pc, &key) && module_loaded(modules, i))
			return rule_find(key);
	}
	return 0;
}

void unwind_chain_module_check(struct stackdepot_unwinder *u,
			       const struct unwind_identity *identity,
			       struct unwind_check *ret_check)
{
	struct unwind_chain_modules *modules = &u->modules;
	uint32_t i;

	for (i = 0; i < modules->nr && modules->identity[i] != identity; i++)
		;
	if (i == CHAIN_MODULES)
		i = modules->next++ % CHAIN_MODULES;
	else if (i == modules->nr)
		modules->nr++;
	modules->known = true;
	modules->identity[i] = identity;
	modules->holds[i] = unwind_identity_id(identity);
	check_set(ret_check, &modules->holds[i], modules->holds[i]);
}
