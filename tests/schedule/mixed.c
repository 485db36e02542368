#include "world.h"
const struct scenario scenarios_mixed[] = {{.name = NULL}};
