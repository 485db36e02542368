// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// field: Go calls C, whose stack is another and whose caller has no unwind tables
// build: cp $SRC/go_calls_c.go . && HOME=$PWD GOCACHE=$PWD/cache GOFLAGS=-mod=mod CGO_ENABLED=1 go build -o go_calls_c go_calls_c.go && rm -rf cache
// needs: golang-go
// modes: full
// slow: yes
// expect: errors 0
// expect: leak leaks_in_c 3000 30
// expect: says by frame pointer
// expect: says main.callsC
package main

/*
#include <stdlib.h>
static void *volatile kept;
static __attribute__((noinline)) void leaks_in_c(int bytes) { kept = malloc(bytes); kept = NULL; }
*/
import "C"
import "fmt"

//go:noinline
func callsC(n int) int {
	C.leaks_in_c(C.int(n))
	return n
}

func main() {
	sum := 0
	for i := 0; i < 30; i++ {
		sum += callsC(100)
	}
	fmt.Println(sum)
}
