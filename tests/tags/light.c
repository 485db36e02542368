/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * light.c - a module for Lua: pointers of malloc() as light userdata, which LuaJIT packs into the
 * bits of a number that is none (NaN boxing).
 *
 * require "light" (OBJECTS) is how many of them came back as others. Lua's functions are declared
 * here, as its headers need not be there.
 */
#include <stdlib.h>
#include <string.h>

#define SIZES 200

struct lua_State;
typedef int lua_function(struct lua_State *lua);

void lua_createtable(struct lua_State *lua, int items, int fields);
void lua_pushlightuserdata(struct lua_State *lua, void *pointer);
void lua_pushcclosure(struct lua_State *lua, lua_function *function, int values);
void lua_pushinteger(struct lua_State *lua, long number);
long lua_tointeger(struct lua_State *lua, int place);
void lua_rawseti(struct lua_State *lua, int table, int at);
void lua_rawgeti(struct lua_State *lua, int table, int at);
void *lua_touserdata(struct lua_State *lua, int place);
void lua_settop(struct lua_State *lua, int place);

__attribute__((visibility("default"))) lua_function luaopen_light;

static int count(struct lua_State *lua)
{
	const int objects = (int)lua_tointeger(lua, 1);
	char **pointers = calloc((size_t)objects, sizeof(*pointers));
	int i, wrong = 0;

	lua_createtable(lua, objects, 0);
	for (i = 0; i < objects; i++) {
		pointers[i] = malloc(1 + i % SIZES);
		memset(pointers[i], i % 100, 1 + i % SIZES);
		lua_pushlightuserdata(lua, pointers[i]);
		lua_rawseti(lua, -2, i + 1);
	}
	for (i = 0; i < objects; i++) {
		const char *object;

		lua_rawgeti(lua, -1, i + 1);
		object = lua_touserdata(lua, -1);
		wrong += object != pointers[i] || *object != i % 100;
		lua_settop(lua, -2);
		free(pointers[i]);
	}
	free(pointers);
	lua_pushinteger(lua, wrong);
	return 1;
}

int luaopen_light(struct lua_State *lua)
{
	lua_pushcclosure(lua, count, 0);
	return 1;
}
