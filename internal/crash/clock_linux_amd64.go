package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// ask stands in the place of the kernel's own clock_gettime in the process: it asks the
// kernel, and adds the seconds that follow it to what the wall clock says.
var ask = []byte{
	0xb8, 0xe4, 0, 0, 0, // mov  eax, SYS_clock_gettime
	0x0f, 0x05, // syscall
	0x85, 0xff, // test edi, edi: CLOCK_REALTIME?
	0x75, 0x0a, // jne  ret
	0x48, 0x8b, 0x0d, 6, 0, 0, 0, // mov  rcx, [rip+6]
	0x48, 0x01, 0x0e, // add  [rsi], rcx
	0xc3,       // ret
	0x90, 0x90, // and eight bytes of seconds
}

// start starts a program, the very one that ships, whose wall clock can be set. Go and C
// read the clock without asking the kernel, by the code that it maps into each process
// (vDSO): that code is written over before the first instruction is run.
func (k *clock) start(s *exec.Cmd) error {
	runtime.LockOSThread() // who traces is a thread
	defer runtime.UnlockOSThread()
	s.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := s.Start(); err != nil {
		return err
	}
	pid := s.Process.Pid
	var stopped syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &stopped, 0, nil); err != nil {
		return err
	}
	mem, at, err := patch(pid)
	if err == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.set = func(seconds int64) error {
			_, err := mem.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(seconds)), at)
			return err
		}
		err = k.set(int64(k.off.Seconds()))
	}
	if err != nil {
		_ = s.Process.Kill()
		return fmt.Errorf("the clock of a process cannot be set here: %w", err)
	}
	return syscall.PtraceDetach(pid)
}

// patch writes ask into the process, and tells where its seconds are in its memory.
func patch(pid int) (*os.File, int64, error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, 0, err
	}
	var from, to int64
	for line := range strings.Lines(string(maps)) {
		if strings.Contains(line, "[vdso]") {
			if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
				return nil, 0, err
			}
		}
	}
	if from == 0 {
		return nil, 0, errors.New("there is no vDSO")
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return nil, 0, err
	}
	image := make([]byte, to-from)
	if _, err := mem.ReadAt(image, from); err != nil {
		return nil, 0, errors.Join(err, mem.Close())
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, 0, errors.Join(err, mem.Close())
	}
	list, err := f.DynamicSymbols()
	for _, s := range list {
		if s.Name == "__vdso_clock_gettime" && s.Size >= uint64(len(ask)+8) {
			at := from + int64(s.Value)
			_, err := mem.WriteAt(ask, at)
			return mem, at + int64(len(ask)), err
		}
	}
	return nil, 0, errors.Join(errors.New("the vDSO has no clock_gettime that could be written over"), err, mem.Close())
}
