// Goroutines on several threads, with timers, files and a child process. Few packages, for it is compiled with all of them.
package main

import (
	"os"
	"sync"
	"time"
)

func main() {
	var group sync.WaitGroup
	var lock sync.Mutex
	sum := 0
	for n := 0; n < 200; n++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			time.Sleep(time.Duration(n%7) * time.Millisecond)
			content, err := os.ReadFile("/usr/bin/env")
			if err != nil || string(content[1:4]) != "ELF" {
				panic(err)
			}
			lock.Lock()
			sum += n
			lock.Unlock()
		}(n)
	}
	group.Wait()
	if sum != 199*200/2 {
		panic(sum)
	}
	attributes := os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr}}
	child, err := os.StartProcess("/bin/echo", []string{"echo", "child"}, &attributes)
	if err != nil {
		panic(err)
	}
	state, err := child.Wait()
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString("sum " + state.String() + "\n")
}
