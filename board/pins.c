#include "pins.h"

void pins_drive(struct pins *pins, unsigned gp, enum pin_drive drive)
{
    uint32_t bit = UINT32_C(1) << gp;
    pins->outside &= ~bit;
    pins->outside_high &= ~bit;
    if (drive != PIN_FREE)
        pins->outside |= bit;
    if (drive == PIN_HIGH)
        pins->outside_high |= bit;
}

enum pin_drive pins_driven(const struct pins *pins, unsigned gp)
{
    if (!(pins->outside >> gp & 1))
        return PIN_FREE;
    return pins->outside_high >> gp & 1 ? PIN_HIGH : PIN_LOW;
}

uint32_t pins_level(const struct pins *pins, const struct pins_cpu *cpu)
{
    uint32_t pulled = cpu->up & ~cpu->down;
    if (cpu->lit)
        pulled |= UINT32_C(1) << PIN_LED;
    uint32_t ours = (cpu->out & cpu->dir) | (pulled & ~cpu->dir);
    return (ours & ~pins->outside) | (pins->outside_high & pins->outside);
}

bool pins_strapped(const struct pins *pins)
{
    return pins_driven(pins, PIN_LOADER) == PIN_LOW;
}

const char *pin_drive_name(enum pin_drive drive)
{
    static const char *const names[] = {"free", "low", "high"};
    return names[drive];
}
