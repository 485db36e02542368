#include "world.h"
const struct scenario scenarios_ring[] = {{.name = NULL}};
