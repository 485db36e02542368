#include "world.h"
const struct scenario scenarios_nested[] = {{.name = NULL}};
