; The native probes: what watches the guest at full speed. Compiled at start by llvmlite (core/cpu/probes.py).
;
; The emulated CPU calls @count or @record before every instruction and @memory at every access of data. A Python hook
; in their place runs at 1.6 million instructions a second; these run at a hundred.
;
; %ctl is the control block, an array of 64-bit words shared with Python (core/cpu/probes.py, class Word, same order):
;   0 executed    1 end         2 stop         3 watch        4 skip_at      5 reason      6 last_pc
;   8 fetch_page  9 fetch_frame 10 ring_buffer 11 reads       12 writes      13 fetches    14 dirty      15 frames
;   16 break_map  17 scratch    18..21 instructions in rings 0..3
;   22 code_base  23 code_size  24 code_map    25 code_heat    26 virtual_if
;
; Where a monitor runs rewritten code (code_size bytes from linear code_base), code_map has a 64-bit entry for each of
; its bytes: the guest's own address of the instruction in the low half, and above it what @place looks at. So one of the
; guest's instructions counts once, whatever number it has become, and stops, breakpoints and records are in its terms.

declare i32 @uc_emu_stop(ptr)
declare i32 @uc_vmem_translate(ptr, i64, i32, ptr)
declare i32 @uc_reg_read(ptr, i32, ptr)

; Where the guest believes the instruction at %pc to be, and whether it counts: bit 32 says so. Bit 33: count a visit in
; code_heat. Bit 34: no rewritten code stands here; stop before it.
define internal i64 @place(ptr %uc, i64 %pc, ptr %ctl) alwaysinline {
entry:
  %size.at = getelementptr i64, ptr %ctl, i64 23
  %size = load i64, ptr %size.at
  %base.at = getelementptr i64, ptr %ctl, i64 22
  %base = load i64, ptr %base.at
  %offset = sub i64 %pc, %base
  %inside = icmp ult i64 %offset, %size
  br i1 %inside, label %rewritten, label %direct

direct:
  %counted = or i64 %pc, 4294967296
  ret i64 %counted

rewritten:
  %map.at = getelementptr i64, ptr %ctl, i64 24
  %map = load ptr, ptr %map.at
  %found.at = getelementptr i64, ptr %map, i64 %offset
  %found = load i64, ptr %found.at
  %special.bits = and i64 %found, 25769803776
  %special = icmp ne i64 %special.bits, 0
  br i1 %special, label %look, label %answer

look:
  %hot.bit = and i64 %found, 8589934592
  %hot = icmp ne i64 %hot.bit, 0
  br i1 %hot, label %warm, label %stray

warm:
  %heat.at = getelementptr i64, ptr %ctl, i64 25
  %heat = load ptr, ptr %heat.at
  %cell = getelementptr i32, ptr %heat, i64 %offset
  %old = load i32, ptr %cell
  %new = add i32 %old, 1
  store i32 %new, ptr %cell
  br label %answer

stray:
  %reason.at = getelementptr i64, ptr %ctl, i64 5
  store i64 6, ptr %reason.at
  %status = call i32 @uc_emu_stop(ptr %uc)
  br label %answer

answer:
  ret i64 %found
}

; The instruction at %pc, whose %place was looked up, must not run yet: it was no visit.
define internal void @unvisit(i64 %pc, i64 %place, ptr %ctl) {
entry:
  %hot.bit = and i64 %place, 8589934592
  %hot = icmp ne i64 %hot.bit, 0
  br i1 %hot, label %cool, label %done

cool:
  %base.at = getelementptr i64, ptr %ctl, i64 22
  %base = load i64, ptr %base.at
  %offset = sub i64 %pc, %base
  %heat.at = getelementptr i64, ptr %ctl, i64 25
  %heat = load ptr, ptr %heat.at
  %cell = getelementptr i32, ptr %heat, i64 %offset
  %old = load i32, ptr %cell
  %new = sub i32 %old, 1
  store i32 %new, ptr %cell
  br label %done

done:
  ret void
}

; May the instruction at %pc run? Counts it and answers true, or names the reason, stops the CPU and answers false.
define internal i1 @admit(ptr %uc, i64 %pc, i32 %size, ptr %ctl) alwaysinline {
entry:
  %executed = load i64, ptr %ctl
  %end.at = getelementptr i64, ptr %ctl, i64 1
  %end = load i64, ptr %end.at
  %within = icmp ult i64 %executed, %end
  br i1 %within, label %wishes, label %budget

wishes:
  %stop.at = getelementptr i64, ptr %ctl, i64 2
  %stop = load volatile i64, ptr %stop.at
  %watch.at = getelementptr i64, ptr %ctl, i64 3
  %watch = load i64, ptr %watch.at
  %any = or i64 %stop, %watch
  %quiet = icmp eq i64 %any, 0
  br i1 %quiet, label %go, label %stop.requested

stop.requested:
  %requested = icmp ne i64 %stop, 0
  br i1 %requested, label %request, label %interrupt.awaited

; watch bit 1: an interrupt is pending; stop where EFLAGS.IF (bit 9) is set
interrupt.awaited:
  %awaiting = and i64 %watch, 2
  %awaits = icmp ne i64 %awaiting, 0
  br i1 %awaits, label %read.flags, label %breakpoints

; its virtual IF, where a monitor keeps it in memory; else the CPU's own
read.flags:
  %virtual.at = getelementptr i64, ptr %ctl, i64 26
  %virtual = load ptr, ptr %virtual.at
  %kept = icmp ne ptr %virtual, null
  br i1 %kept, label %read.virtual, label %read.real

read.virtual:
  %word = load volatile i32, ptr %virtual
  %virtually.open = icmp ne i32 %word, 0
  br i1 %virtually.open, label %interruptible, label %breakpoints

read.real:
  %scratch.at = getelementptr i64, ptr %ctl, i64 17
  store i64 0, ptr %scratch.at
  %ignored = call i32 @uc_reg_read(ptr %uc, i32 REG_EFLAGS, ptr %scratch.at)
  %eflags = load i64, ptr %scratch.at
  %if.bit = and i64 %eflags, 512
  %open = icmp ne i64 %if.bit, 0
  br i1 %open, label %interruptible, label %breakpoints

; watch bit 0: breakpoints; a map of 65,536 bits by the low half of the address (Python looks at the whole address)
breakpoints:
  %breaking = and i64 %watch, 1
  %breaks = icmp ne i64 %breaking, 0
  br i1 %breaks, label %look.up, label %go

look.up:
  %skip.at = getelementptr i64, ptr %ctl, i64 4
  %skip = load i64, ptr %skip.at
  %skipped = icmp eq i64 %skip, %executed
  br i1 %skipped, label %go, label %test.bit

test.bit:
  %map.at = getelementptr i64, ptr %ctl, i64 16
  %map = load ptr, ptr %map.at
  %low = and i64 %pc, 65535
  %byte.index = lshr i64 %low, 3
  %byte.at = getelementptr i8, ptr %map, i64 %byte.index
  %byte = load i8, ptr %byte.at
  %bit.index = and i64 %pc, 7
  %bit.index8 = trunc i64 %bit.index to i8
  %shifted = lshr i8 %byte, %bit.index8
  %bit = and i8 %shifted, 1
  %hit = icmp ne i8 %bit, 0
  br i1 %hit, label %breakpoint, label %go

go:
  %next = add i64 %executed, 1
  store i64 %next, ptr %ctl
  %pc.at = getelementptr i64, ptr %ctl, i64 6
  store i64 %pc, ptr %pc.at
  ret i1 true

budget:
  br label %halt
request:
  br label %halt
interruptible:
  br label %halt
breakpoint:
  br label %halt
halt:
  %reason = phi i64 [ 1, %budget ], [ 2, %request ], [ 3, %interruptible ], [ 4, %breakpoint ]
  %reason.at = getelementptr i64, ptr %ctl, i64 5
  store i64 %reason, ptr %reason.at
  %status = call i32 @uc_emu_stop(ptr %uc)
  ret i1 false
}

; Exact count and budget, and nothing else.
define void @count(ptr %uc, i64 %pc, i32 %size, ptr %ctl) {
entry:
  %place = call i64 @place(ptr %uc, i64 %pc, ptr %ctl)
  %counts.bit = and i64 %place, 4294967296
  %counts = icmp ne i64 %counts.bit, 0
  br i1 %counts, label %counted, label %done

counted:
  %believed = and i64 %place, 4294967295
  %admitted = call i1 @admit(ptr %uc, i64 %believed, i32 %size, ptr %ctl)
  br i1 %admitted, label %done, label %refused

refused:
  call void @unvisit(i64 %pc, i64 %place, ptr %ctl)
  br label %done

done:
  ret void
}

; Exact count and budget, the ring of the last 65,536 PCs, fetches by frame, instructions by ring.
define void @record(ptr %uc, i64 %pc, i32 %size, ptr %ctl) {
entry:
  %place = call i64 @place(ptr %uc, i64 %pc, ptr %ctl)
  %counts.bit = and i64 %place, 4294967296
  %counts = icmp ne i64 %counts.bit, 0
  br i1 %counts, label %counted, label %done

counted:
  %believed = and i64 %place, 4294967295
  %admitted = call i1 @admit(ptr %uc, i64 %believed, i32 %size, ptr %ctl)
  br i1 %admitted, label %pcs, label %refused

refused:
  call void @unvisit(i64 %pc, i64 %place, ptr %ctl)
  br label %done

pcs:
  %executed = load i64, ptr %ctl
  %previous = sub i64 %executed, 1
  %slot = and i64 %previous, 65535
  %ring.at = getelementptr i64, ptr %ctl, i64 10
  %ring = load ptr, ptr %ring.at
  %slot.at = getelementptr i64, ptr %ring, i64 %slot
  store i64 %believed, ptr %slot.at
  %scratch.at = getelementptr i64, ptr %ctl, i64 17
  store i64 0, ptr %scratch.at
  %ignored = call i32 @uc_reg_read(ptr %uc, i32 REG_CS, ptr %scratch.at)
  %cs = load i64, ptr %scratch.at
  %cpl = and i64 %cs, 3
  %lane = add i64 %cpl, 18
  %lane.at = getelementptr i64, ptr %ctl, i64 %lane
  %spent = load i64, ptr %lane.at
  %spent.next = add i64 %spent, 1
  store i64 %spent.next, ptr %lane.at
  %page = lshr i64 %pc, 12
  %page.at = getelementptr i64, ptr %ctl, i64 8
  %known = load i64, ptr %page.at
  %frame.at = getelementptr i64, ptr %ctl, i64 9
  %same = icmp eq i64 %page, %known
  br i1 %same, label %heat, label %translate

; the page that is being executed is mapped, so this walk cannot fault and disturb CR2
translate:
  %failed = call i32 @uc_vmem_translate(ptr %uc, i64 %pc, i32 4, ptr %frame.at)
  %ok = icmp eq i32 %failed, 0
  br i1 %ok, label %remember, label %done

remember:
  %physical = load i64, ptr %frame.at
  %its.frame = lshr i64 %physical, 12
  store i64 %its.frame, ptr %frame.at
  store i64 %page, ptr %page.at
  br label %heat

heat:
  %frame = load i64, ptr %frame.at
  %frames.at = getelementptr i64, ptr %ctl, i64 15
  %frames = load i64, ptr %frames.at
  %inside = icmp ult i64 %frame, %frames
  br i1 %inside, label %warm, label %done

warm:
  %fetches.at = getelementptr i64, ptr %ctl, i64 13
  %fetches = load ptr, ptr %fetches.at
  %cell = getelementptr i32, ptr %fetches, i64 %frame
  %old = load i32, ptr %cell
  %new = add i32 %old, 1
  store i32 %new, ptr %cell
  br label %done

done:
  ret void
}

; Reads, writes and dirty marks by frame. %address is host-physical. Type 16 is a read, 17 a write.
define void @memory(ptr %uc, i32 %type, i64 %address, i32 %size, i64 %value, ptr %ctl) {
entry:
  %frame = lshr i64 %address, 12
  %frames.at = getelementptr i64, ptr %ctl, i64 15
  %frames = load i64, ptr %frames.at
  %inside = icmp ult i64 %frame, %frames
  br i1 %inside, label %warm, label %done

warm:
  %is.write = icmp eq i32 %type, 17
  %which = select i1 %is.write, i64 12, i64 11
  %counters.at = getelementptr i64, ptr %ctl, i64 %which
  %counters = load ptr, ptr %counters.at
  %cell = getelementptr i32, ptr %counters, i64 %frame
  %old = load i32, ptr %cell
  %new = add i32 %old, 1
  store i32 %new, ptr %cell
  br i1 %is.write, label %mark, label %done

mark:
  %dirty.at = getelementptr i64, ptr %ctl, i64 14
  %dirty = load ptr, ptr %dirty.at
  %byte.at = getelementptr i8, ptr %dirty, i64 %frame
  store i8 1, ptr %byte.at
  ; a write that straddles a page border dirties the next frame as well
  %last = sub i32 %size, 1
  %last64 = zext i32 %last to i64
  %last.address = add i64 %address, %last64
  %last.frame = lshr i64 %last.address, 12
  %straddles = icmp ne i64 %last.frame, %frame
  %next.inside = icmp ult i64 %last.frame, %frames
  %mark.next = and i1 %straddles, %next.inside
  br i1 %mark.next, label %mark.second, label %done

mark.second:
  %second.at = getelementptr i8, ptr %dirty, i64 %last.frame
  store i8 1, ptr %second.at
  br label %done

done:
  ret void
}
