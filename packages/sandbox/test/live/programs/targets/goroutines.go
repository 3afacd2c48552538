// Goroutines on several threads, with timers, files and a child process.
package main

import (
	"fmt"
	"os"
	"os/exec"
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
	said, err := exec.Command("/bin/echo", "child").Output()
	fmt.Print(sum, " ", string(said), err, "\n")
}
