// The seconds since 1970, by the runtime and by system call, and how many milliseconds a timer of 100 takes.
package main

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	var raw syscall.Timespec
	now := time.Now()
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 0, uintptr(unsafe.Pointer(&raw)), 0)
	select {
	case <-make(chan int):
	case <-time.After(100 * time.Millisecond):
	}
	fmt.Println(now.Unix(), raw.Sec, time.Since(now).Milliseconds())
}
