package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"carryover/mapping/store/storetest"
)

// Everybody on a machine can list what the processes were called with: a password does not stay
// there, however the flag was written, and the gateway works with it.
func TestPasswordLeavesTheCommandLine(t *testing.T) {
	for _, as := range []string{"--redis %s", "--redis=%s"} {
		_, server := storetest.StartRedis(t)
		flag := strings.Fields(fmt.Sprintf(as, "redis://:hunter2@"+server.Addr()+"/0"))
		d := newLiveDesk(t)
		d.ok(append([]string{"map", "publish", "--store", "redis"}, flag...)...)
		g := d.gateway(flag...)
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", g.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(line, []byte("gateway")) || bytes.Contains(line, []byte("hunter2")) || bytes.Contains(line, []byte("--redis")) {
			t.Errorf("%v: the command line is %q", flag, line)
		}
		if status, health := g.health(d); status != 200 || health["source"] != "store" {
			t.Errorf("%v: %d %v", flag, status, health)
		}
	}
}
