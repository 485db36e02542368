// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * nmi.c - see nmi.h.
 *
 * On arm64 an interrupt line that no device has is made an NMI and set pending by hand. The machine
 * wants a GICv3, and the kernel irqchip.gicv3_pseudo_nmi=1.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/of.h>

#include "nmi.h"

static struct {
	void (*handler)(void *data);
	void *data;
} nmi;

#if defined(CONFIG_ARM64_PSEUDO_NMI)
#define NMI_LINE 200 /* of the shared interrupts, behind those of QEMU's devices */

static unsigned int nmi_irq; /* 0: not requested yet */

static irqreturn_t nmi_handle(int irq, void *unused)
{
	nmi.handler(nmi.data);
	return IRQ_HANDLED;
}

static unsigned int nmi_map(void)
{
	struct device_node *gic = of_find_compatible_node(NULL, NULL, "arm,gic-v3");
	struct irq_fwspec line = {
		.fwnode = of_fwnode_handle(gic),
		.param_count = 3,
		.param = {0, NMI_LINE, IRQ_TYPE_EDGE_RISING},
	};
	unsigned int irq = gic ? irq_create_fwspec_mapping(&line) : 0;

	of_node_put(gic);
	return irq;
}

static bool nmi_request(void)
{
	unsigned int irq = nmi_map();

	if (!irq)
		return false;
	if (request_nmi(irq, nmi_handle, IRQF_PERCPU | IRQF_NO_AUTOEN, "stackdepot", &nmi)) {
		irq_dispose_mapping(irq);
		return false;
	}
	/* Disabling is to reach the GIC at once. */
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	nmi_irq = irq;
	return true;
}

/* Requested once: on PREEMPT_RT free_nmi() takes a lock that sleeps with interrupts off. */
static bool nmi_machine_open(void)
{
	if (!nmi_irq && !nmi_request())
		return false;
	enable_nmi(nmi_irq);
	return true;
}

void nmi_raise(void)
{
	(void)irq_set_irqchip_state(nmi_irq, IRQCHIP_STATE_PENDING, true);
}

void nmi_close(void)
{
	bool pending = true, active = true;

	/* What was raised comes first: a disabled line would keep it. */
	while (!irq_get_irqchip_state(nmi_irq, IRQCHIP_STATE_PENDING, &pending) &&
	       !irq_get_irqchip_state(nmi_irq, IRQCHIP_STATE_ACTIVE, &active) &&
	       (pending || active))
		cpu_relax();
	disable_nmi_nosync(nmi_irq);
}
#elif defined(CONFIG_X86_LOCAL_APIC)
#include <asm/apic.h>
#include <asm/nmi.h>

static atomic_t nmi_raised;

/* NMIs say not whose they are, and of several there may come one. */
static int nmi_handle(unsigned int type, struct pt_regs *regs)
{
	if (!atomic_xchg(&nmi_raised, 0))
		return NMI_DONE;
	nmi.handler(nmi.data);
	return NMI_HANDLED;
}

static bool nmi_machine_open(void)
{
	return !register_nmi_handler(NMI_LOCAL, nmi_handle, NMI_FLAG_FIRST, "stackdepot");
}

void nmi_raise(void)
{
	atomic_set(&nmi_raised, 1);
	__apic_send_IPI_mask(cpumask_of(0), NMI_VECTOR);
}

void nmi_close(void)
{
	while (atomic_read(&nmi_raised))
		cpu_relax();
	unregister_nmi_handler(NMI_LOCAL, "stackdepot");
}
#else
static bool nmi_machine_open(void)
{
	return false;
}

void nmi_raise(void)
{
}

void nmi_close(void)
{
}
#endif

bool nmi_open(void (*handler)(void *data), void *data)
{
	nmi.handler = handler;
	nmi.data = data;
	return nmi_machine_open();
}
