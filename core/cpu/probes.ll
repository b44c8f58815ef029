; The native probes: what watches the guest at full speed. Compiled at start by llvmlite (core/cpu/probes.py).
;
; The emulated CPU calls @count or @record before every instruction and @memory at every access of data. A Python hook
; in their place runs at 1.6 million instructions a second; these run at a hundred.
;
; %ctl is the control block, an array of 64-bit words shared with Python (core/cpu/probes.py, class Word, same order):
;   0 executed    1 end         2 stop         3 watch        4 skip_at      5 reason      6 last_pc
;   8 fetch_page  9 fetch_frame 10 ring_buffer 11 reads       12 writes      13 fetches    14 dirty      15 frames
;   16 break_map  17 scratch    18..21 instructions in rings 0..3
;   22 code_base  23 code_size  24 code_map    25 code_heat    26 virtual_if   27 last_size    28 ram
;   29 again_at   30 real_pc    31 variables    32 guarded_at   33 guarded_if   34 context      35 handler
;   36 port_reader 37 port_writer 38 ring_left  39 straddled
;
; Where a monitor runs rewritten code (code_size bytes from linear code_base), code_map has a 64-bit entry for each of
; its bytes: the guest's own address of the instruction in the low half, and above it what @place looks at. So one of the
; guest's instructions counts once, whatever number it has become, and stops, breakpoints and records are in its terms.

declare i32 @uc_emu_stop(ptr)
declare i32 @uc_vmem_translate(ptr, i64, i32, ptr)
declare i32 @uc_reg_read(ptr, i32, ptr)
declare i32 @uc_context_save(ptr, ptr)
declare i32 @uc_context_restore(ptr, ptr)

; Where the guest believes the instruction at %pc to be, and whether it counts: bit 32 says so. Bit 33: count a visit in
; code_heat. Bit 34: no rewritten code stands here; stop before it.
define internal i64 @place(ptr %uc, i64 %pc, ptr %ctl) alwaysinline {
entry:
  %real.at = getelementptr i64, ptr %ctl, i64 30
  store i64 %pc, ptr %real.at
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

; Can the instruction at %pc, which the CPU begins a second time in a row, neither be a repeated one nor have jumped?
; Its bytes are read: prefixes are passed over; what is left tells by its first byte.
define internal i1 @begun_anew(ptr %uc, i64 %pc, ptr %ctl) noinline {
entry:
  %scratch.at = getelementptr i64, ptr %ctl, i64 17
  %failed = call i32 @uc_vmem_translate(ptr %uc, i64 %pc, i32 4, ptr %scratch.at)
  %found = icmp eq i32 %failed, 0
  br i1 %found, label %there, label %no

there:
  %physical = load i64, ptr %scratch.at
  %frames.at = getelementptr i64, ptr %ctl, i64 15
  %frames = load i64, ptr %frames.at
  %ram.bytes = shl i64 %frames, 12
  %inside = icmp ult i64 %physical, %ram.bytes
  br i1 %inside, label %start, label %no

start:
  %ram.at = getelementptr i64, ptr %ctl, i64 28
  %ram = load ptr, ptr %ram.at
  %page.end = or i64 %physical, 4095
  br label %byte

byte:
  %at = phi i64 [ %physical, %start ], [ %at.next, %prefix ], [ %at.next.rep, %repeats ]
  %rep = phi i1 [ false, %start ], [ %rep, %prefix ], [ true, %repeats ]
  %on.page = icmp ule i64 %at, %page.end
  br i1 %on.page, label %read, label %no

read:
  %place = getelementptr i8, ptr %ram, i64 %at
  %op = load i8, ptr %place
  switch i8 %op, label %opcode [
    i8 38, label %prefix
    i8 46, label %prefix
    i8 54, label %prefix
    i8 62, label %prefix
    i8 100, label %prefix
    i8 101, label %prefix
    i8 102, label %prefix
    i8 103, label %prefix
    i8 -16, label %prefix
    i8 -13, label %repeats
    i8 -14, label %repeats
  ]

prefix:
  %at.next = add i64 %at, 1
  br label %byte

repeats:
  %at.next.rep = add i64 %at, 1
  br label %byte

; 6C-6F, A4-A7, AA-AF: string instructions, which repeat; the others are those that write memory and do not jump
opcode:
  switch i8 %op, label %plain [
    i8 108, label %string
    i8 109, label %string
    i8 110, label %string
    i8 111, label %string
    i8 -92, label %string
    i8 -91, label %string
    i8 -90, label %string
    i8 -89, label %string
    i8 -86, label %string
    i8 -85, label %string
    i8 -84, label %string
    i8 -83, label %string
    i8 -82, label %string
    i8 -81, label %string
  ]

string:
  %once = xor i1 %rep, true
  ret i1 %once

; 70-7F, 9A, C2, C3, CA-CF, E0-E3, E8-EB, FF, 0F 80-8F: they may have come back to themselves
plain:
  %high = and i8 %op, -16
  %is.jcc = icmp eq i8 %high, 112
  br i1 %is.jcc, label %no, label %others

others:
  switch i8 %op, label %yes [
    i8 -102, label %no
    i8 -62, label %no
    i8 -61, label %no
    i8 -54, label %no
    i8 -53, label %no
    i8 -52, label %no
    i8 -51, label %no
    i8 -50, label %no
    i8 -49, label %no
    i8 -32, label %no
    i8 -31, label %no
    i8 -30, label %no
    i8 -29, label %no
    i8 -24, label %no
    i8 -23, label %no
    i8 -22, label %no
    i8 -21, label %no
    i8 -1, label %group
    i8 15, label %two
  ]

; FF /2 to /5 jump, /0, /1 and /6 do not
group:
  %modrm.at = getelementptr i8, ptr %place, i64 1
  %modrm = load i8, ptr %modrm.at
  %reg.bits = and i8 %modrm, 56
  %jumps.from = icmp uge i8 %reg.bits, 16
  %jumps.to = icmp ule i8 %reg.bits, 40
  %jumps = and i1 %jumps.from, %jumps.to
  br i1 %jumps, label %no, label %yes

two:
  %second.at = getelementptr i8, ptr %place, i64 1
  %second = load i8, ptr %second.at
  %second.high = and i8 %second, -16
  %far.jcc = icmp eq i8 %second.high, -128
  br i1 %far.jcc, label %no, label %yes

no:
  ret i1 false
yes:
  ret i1 true
}

; May the instruction at %pc run? Counts it and answers true, or names the reason, stops the CPU and answers false.
define internal i1 @admit(ptr %uc, i64 %pc, i32 %size, ptr %ctl) alwaysinline {
entry:
  %again.at = getelementptr i64, ptr %ctl, i64 29
  %before = load i64, ptr %again.at
  %again = icmp eq i64 %before, %pc
  br i1 %again, label %twice, label %first

; The instruction that was the newest, once more. An instruction that writes to the very block of code it stands in is
; begun anew by the CPU: it has been counted, and runs unseen. Repeated ones and jumps to themselves are not meant.
twice:
  %anew = call i1 @begun_anew(ptr %uc, i64 %pc, ptr %ctl)
  br i1 %anew, label %counted.already, label %first

; it may have left its write in the middle: see @departed
counted.already:
  store i64 -1, ptr %again.at
  %done.at = getelementptr i64, ptr %ctl, i64 1
  %done.end = load i64, ptr %done.at
  %done = load i64, ptr %ctl
  %sooner = icmp ult i64 %done, %done.end
  %stop.then = select i1 %sooner, i64 %done, i64 %done.end
  store i64 %stop.then, ptr %done.at
  ret i1 false

first:
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
  br i1 %breaks, label %look.up, label %rings

look.up:
  %skip.at = getelementptr i64, ptr %ctl, i64 4
  %skip = load i64, ptr %skip.at
  %skipped = icmp eq i64 %skip, %executed
  br i1 %skipped, label %rings, label %test.bit

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
  br i1 %hit, label %breakpoint, label %rings

; watch bit 2: stop where the CPU is in another ring than ring_left
rings:
  %leaving = and i64 %watch, 4
  %may.leave = icmp ne i64 %leaving, 0
  br i1 %may.leave, label %read.ring, label %go

read.ring:
  %cs.at = getelementptr i64, ptr %ctl, i64 17
  store i64 0, ptr %cs.at
  %cs.read = call i32 @uc_reg_read(ptr %uc, i32 REG_CS, ptr %cs.at)
  %cs = load i64, ptr %cs.at
  %cpl = and i64 %cs, 3
  %left.at = getelementptr i64, ptr %ctl, i64 38
  %left = load i64, ptr %left.at
  %still = icmp eq i64 %cpl, %left
  br i1 %still, label %go, label %ring.left

go:
  %next = add i64 %executed, 1
  store i64 %next, ptr %ctl
  %pc.at = getelementptr i64, ptr %ctl, i64 6
  store i64 %pc, ptr %pc.at
  store i64 %pc, ptr %again.at
  %size.at = getelementptr i64, ptr %ctl, i64 27
  %size64 = zext i32 %size to i64
  store i64 %size64, ptr %size.at
  ret i1 true

budget:
  br label %halt
request:
  br label %halt
interruptible:
  br label %halt
breakpoint:
  br label %halt
ring.left:
  br label %halt
halt:
  %reason = phi i64 [ 1, %budget ], [ 2, %request ], [ 3, %interruptible ], [ 4, %breakpoint ], [ 8, %ring.left ]
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
  %last = sub i32 %size, 1
  %last64 = zext i32 %last to i64
  %last.address = add i64 %address, %last64
  %last.frame = lshr i64 %last.address, 12
  %straddles = icmp ne i64 %last.frame, %frame
  br i1 %straddles, label %note, label %done

; without paging the next frame is dirty as well; with it, who knows which: that there was such a write is kept
note:
  %note.at = getelementptr i64, ptr %ctl, i64 39
  store i64 1, ptr %note.at
  %next.inside = icmp ult i64 %last.frame, %frames
  br i1 %next.inside, label %mark.second, label %done

mark.second:
  %second.at = getelementptr i8, ptr %dirty, i64 %last.frame
  store i8 1, ptr %second.at
  br label %done

done:
  ret void
}

; Called before every write where somebody waits for one. %watched: the first byte waited for and the one behind the last,
; both host-physical; how many bytes of a store must lie behind its page to reach them, if its next page is theirs; and
; whom to tell. Only where a store begins is known, so one that leaves its page is told of whenever it may reach them.
define void @stored(ptr %uc, i32 %type, i64 %address, i32 %size, i64 %value, ptr %watched) {
entry:
  %size64 = zext i32 %size to i64
  %end = add i64 %address, %size64
  %last.at = getelementptr i64, ptr %watched, i64 1
  %first = load i64, ptr %watched
  %last = load i64, ptr %last.at
  %begins = icmp ult i64 %address, %last
  %reaches = icmp ugt i64 %end, %first
  %hits = and i1 %begins, %reaches
  %in.page = and i64 %address, 4095
  %in.page.end = add i64 %in.page, %size64
  %behind = sub i64 %in.page.end, 4096
  %needed.at = getelementptr i64, ptr %watched, i64 2
  %needed = load i64, ptr %needed.at
  %straddles = icmp sgt i64 %behind, %needed
  %tell.it = or i1 %hits, %straddles
  br i1 %tell.it, label %tell, label %done

tell:
  %teller.at = getelementptr ptr, ptr %watched, i64 3
  %teller = load ptr, ptr %teller.at
  call void %teller(i64 %address, i32 %size)
  br label %done

done:
  ret void
}

; Called before every write to a page that holds a monitor's variables. Translated code runs in ring 1, where paging cannot
; keep the guest's own stores out of what translated code must write: so this plays the truncated segment that real
; monitors had. The entry's bit 35 lets a store pass; any other stops the CPU, with the place and the virtual IF noted
; (the store itself cannot be prevented; who is told of the stop puts the page back). It does for this page what @memory,
; which is not called for it, does for all others.
define void @guard(ptr %uc, i32 %type, i64 %address, i32 %size, i64 %value, ptr %ctl) {
entry:
  call void @memory(ptr %uc, i32 %type, i64 %address, i32 %size, i64 %value, ptr %ctl)
  %variables.at = getelementptr i64, ptr %ctl, i64 31
  %variables = load i64, ptr %variables.at
  %page = and i64 %address, -4096
  %ours = icmp eq i64 %page, %variables
  br i1 %ours, label %who, label %done

who:
  %real.at = getelementptr i64, ptr %ctl, i64 30
  %pc = load i64, ptr %real.at
  %base.at = getelementptr i64, ptr %ctl, i64 22
  %base = load i64, ptr %base.at
  %code.size.at = getelementptr i64, ptr %ctl, i64 23
  %code.size = load i64, ptr %code.size.at
  %offset = sub i64 %pc, %base
  %inside = icmp ult i64 %offset, %code.size
  br i1 %inside, label %look, label %refuse

look:
  %map.at = getelementptr i64, ptr %ctl, i64 24
  %map = load ptr, ptr %map.at
  %entry.at = getelementptr i64, ptr %map, i64 %offset
  %found = load i64, ptr %entry.at
  %own.bit = and i64 %found, 34359738368
  %own = icmp ne i64 %own.bit, 0
  br i1 %own, label %done, label %refuse

refuse:
  %if.at = getelementptr i64, ptr %ctl, i64 26
  %if.word.at = load ptr, ptr %if.at
  %if.word = load i32, ptr %if.word.at
  %if64 = zext i32 %if.word to i64
  %kept.at = getelementptr i64, ptr %ctl, i64 33
  store i64 %if64, ptr %kept.at
  %where.at = getelementptr i64, ptr %ctl, i64 32
  store i64 %address, ptr %where.at
  %reason.at = getelementptr i64, ptr %ctl, i64 5
  store i64 7, ptr %reason.at
  %status = call i32 @uc_emu_stop(ptr %uc)
  br label %done

done:
  ret void
}

; Called where the CPU raised exception %number or (from 256 on) left guest mode. Python's handler finds the CPU's state in
; the context, and what it changes there the CPU goes on with. Copying it out and back from here costs half of what it
; costs from Python. The exception is over then; the CPU itself would keep two of its marks for ever. And a third: where
; it leaves an access in the middle that it does in parts (a read that goes on in a page that is not there, which faults at
; that page's first byte), it calls no hook of memory any more until it is started again.
define void @departed(ptr %uc, i32 %number, ptr %ctl) {
entry:
  %context.at = getelementptr i64, ptr %ctl, i64 34
  %context = load ptr, ptr %context.at
  %saved = call i32 @uc_context_save(ptr %uc, ptr %context)
  %error.at = getelementptr i8, ptr %context, i64 AT_ERROR_CODE
  %error = load i32, ptr %error.at
  %software.at = getelementptr i8, ptr %context, i64 AT_EXCEPTION_IS_INT
  %software = load i32, ptr %software.at
  switch i32 %number, label %handle [
    i32 14, label %fault
    i32 334, label %exit
    i32 1280, label %exit
  ]

; a page fault, that of a guest, or one in the nested table: at which address?
fault:
  %cr2.at = getelementptr i8, ptr %context, i64 AT_CR2
  %cr2 = load i64, ptr %cr2.at
  br label %handle

exit:
  %vmcb.at = getelementptr i8, ptr %context, i64 AT_VM_VMCB
  %vmcb = load i64, ptr %vmcb.at
  %ram.at = getelementptr i64, ptr %ctl, i64 28
  %ram = load ptr, ptr %ram.at
  %block = getelementptr i8, ptr %ram, i64 %vmcb
  %info.at = getelementptr i8, ptr %block, i64 128
  %info = load i64, ptr %info.at
  br label %handle

handle:
  %faulted = phi i64 [ -1, %entry ], [ %cr2, %fault ], [ %info, %exit ]
  %handler.at = getelementptr i64, ptr %ctl, i64 35
  %handler = load ptr, ptr %handler.at
  call void %handler(i32 %number, i32 %error, i32 %software)
  %in.page = and i64 %faulted, 4095
  %at.start = icmp eq i64 %in.page, 0
  br i1 %at.start, label %wake, label %back

; after this the CPU is started anew, unless it is to stop anyway
wake:
  %reason.at = getelementptr i64, ptr %ctl, i64 5
  %reason = load i64, ptr %reason.at
  %stops = icmp ne i64 %reason, 0
  br i1 %stops, label %back, label %stop

stop:
  store i64 9, ptr %reason.at
  %status = call i32 @uc_emu_stop(ptr %uc)
  br label %back

back:
  %old.at = getelementptr i8, ptr %context, i64 AT_OLD_EXCEPTION
  store i32 -1, ptr %old.at
  store i32 0, ptr %software.at
  %page.at = getelementptr i64, ptr %ctl, i64 8
  store i64 -1, ptr %page.at
  %again.at = getelementptr i64, ptr %ctl, i64 29
  store i64 -1, ptr %again.at
  %restored = call i32 @uc_context_restore(ptr %uc, ptr %context)
  ret void
}

; Called for IN and INS, OUT and OUTS, which need the state out but never back: the CPU goes on with its own.
define i32 @port_read(ptr %uc, i32 %port, i32 %size, ptr %ctl) {
entry:
  %context.at = getelementptr i64, ptr %ctl, i64 34
  %context = load ptr, ptr %context.at
  %saved = call i32 @uc_context_save(ptr %uc, ptr %context)
  %handler.at = getelementptr i64, ptr %ctl, i64 36
  %handler = load ptr, ptr %handler.at
  %value = call i32 %handler(i32 %port, i32 %size)
  ret i32 %value
}

define void @port_write(ptr %uc, i32 %port, i32 %size, i32 %value, ptr %ctl) {
entry:
  %context.at = getelementptr i64, ptr %ctl, i64 34
  %context = load ptr, ptr %context.at
  %saved = call i32 @uc_context_save(ptr %uc, ptr %context)
  %handler.at = getelementptr i64, ptr %ctl, i64 37
  %handler = load ptr, ptr %handler.at
  call void %handler(i32 %port, i32 %size, i32 %value)
  ret void
}
