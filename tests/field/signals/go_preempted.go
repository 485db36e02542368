/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: Go with C in it: its handlers of SIGURG and SIGPROF ask the kernel itself which stack is theirs
 * build: GO111MODULE=off GOCACHE=$PWD/cache GOFLAGS= go build -o go_preempted $SRC/go_preempted.go
 * needs: golang-go gcc
 * maps: 40
 * slow: yes
 * expect: errors 0
 */
package main

/*
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

// A loop without calls, which the runtime can only interrupt by a signal.
func spin(n int) (sum int) {
	for i := 0; i < n; i++ {
		sum += i & 3
	}
	return sum
}

func main() {
	var wait sync.WaitGroup
	sums := make([]int, 16)
	for n := range sums {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			for i := 0; i < 20; i++ {
				C.free(C.malloc(C.size_t(i + 1)))
				sums[n] += spin(1000000)
			}
		}(n)
	}
	for i := 0; i < 20; i++ {
		runtime.GC()
	}
	wait.Wait()
	fmt.Println(sums[0], sums[15])
	func() {
		defer func() { fmt.Println(recover()) }()
		var nothing *int
		fmt.Println(*nothing)
	}()
	os.Exit(5)
}
