//! The same operation for several secrets, instruction by instruction: every address must be the same.

use std::collections::HashMap;
use std::io::Error;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use iced_x86::{
    Decoder, DecoderOptions, Instruction, InstructionInfoFactory, Mnemonic, Register, UsedMemory,
};

/// Runs the operation for each secret and compares with the first.
pub(crate) fn compare(operation: &str, path: &str) -> ExitCode {
    one_core();
    let mut tracer = Tracer { decoded: HashMap::new(), info: InstructionInfoFactory::new() };
    let first = tracer.trace(operation, path, SECRETS[0]);
    for secret in &SECRETS[1..] {
        let other = tracer.trace(operation, path, secret);
        if let Some((at, pair)) = first.iter().zip(&other).enumerate().find(|(_, (a, b))| a != b) {
            println!("differs after {at} instructions: {}", describe(pair, at, &first));
            return ExitCode::FAILURE;
        }
        if first.len() != other.len() {
            println!("{} and {} instructions", first.len(), other.len());
            return ExitCode::FAILURE;
        }
    }
    println!("{} instructions alike for {} secrets", first.len(), SECRETS.len());
    ExitCode::SUCCESS
}

/// Tracer and traced take turns: on one core that costs no messages between cores.
fn one_core() {
    // SAFETY: a set of bits, for which zeros are a value; both calls read and write nothing else.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let core = usize::try_from(libc::sched_getcpu()).unwrap_or(0);
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set);
    }
}

/// 32 bytes from hexadecimal.
pub(crate) fn secret(text: &str) -> [u8; 32] {
    let nibble = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    std::array::from_fn(|byte| nibble(2 * byte))
}

/// Where an instruction stands, and the addresses of its memory operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    at: u64,
    memory: [u64; 2],
}

fn describe((a, b): (&Step, &Step), at: usize, trace: &[Step]) -> String {
    let before = at.checked_sub(1).and_then(|at| trace.get(at)).unwrap_or(a);
    let places = format!("{:#x} {:#x}", before.at - BASE, a.at - BASE);
    let what = if a.at == b.at { "an address" } else { "a branch" };
    let program = std::env::current_exe().unwrap_or_default();
    let names = Command::new("addr2line")
        .args(["-f", "-C", "-i", "-s", "-e"])
        .arg(program)
        .args(places.split(' '))
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).replace('\n', " "))
        .unwrap_or_default();
    format!("{what} at {places}: {names}")
}

struct Tracer {
    /// What each place of the program does, decoded once.
    decoded: HashMap<u64, Decoded>,
    info: InstructionInfoFactory,
}

struct Decoded {
    memory: Vec<UsedMemory>,
    /// The second one, before which the trace ends.
    breakpoint: bool,
}

impl Tracer {
    fn trace(&mut self, operation: &str, path: &str, secret: &str) -> Vec<Step> {
        let child = Child::start(operation, path, secret);
        child.run_to_breakpoint();
        let mut steps = Vec::new();
        loop {
            let registers = child.registers();
            let decoded = self
                .decoded
                .entry(registers.rip)
                .or_insert_with(|| decode(&child, registers.rip, &mut self.info));
            let mut memory = [0; 2];
            for (to, used) in memory.iter_mut().zip(&decoded.memory) {
                *to = address(used, &registers);
            }
            steps.push(Step { at: registers.rip, memory });
            if decoded.breakpoint {
                return steps;
            }
            child.step();
        }
    }
}

fn decode(child: &Child, at: u64, info: &mut InstructionInfoFactory) -> Decoded {
    let code = [child.word(at), child.word(at + 8)].map(u64::to_le_bytes).concat();
    let mut decoder = Decoder::with_ip(64, &code, at, DecoderOptions::NONE);
    let instruction: Instruction = decoder.decode();
    assert!(!instruction.is_invalid(), "an instruction the decoder does not know at {at:#x}");
    let memory = info.info(&instruction).used_memory().to_vec();
    assert!(memory.len() <= 2, "more than two memory operands at {at:#x}");
    assert!(
        memory.iter().all(|used| !used.index().is_vector_register()),
        "a gather or scatter at {at:#x}: its addresses come from a vector"
    );
    Decoded { memory, breakpoint: instruction.mnemonic() == Mnemonic::Int3 }
}

fn address(used: &UsedMemory, registers: &libc::user_regs_struct) -> u64 {
    let base = value(used.base(), registers);
    let index = value(used.index(), registers).wrapping_mul(u64::from(used.scale()));
    let segment = match used.segment() {
        Register::FS => registers.fs_base,
        Register::GS => registers.gs_base,
        _ => 0,
    };
    base.wrapping_add(index).wrapping_add(used.displacement()).wrapping_add(segment)
}

fn value(register: Register, registers: &libc::user_regs_struct) -> u64 {
    match register.full_register() {
        Register::None => 0,
        Register::RAX => registers.rax,
        Register::RBX => registers.rbx,
        Register::RCX => registers.rcx,
        Register::RDX => registers.rdx,
        Register::RSI => registers.rsi,
        Register::RDI => registers.rdi,
        Register::RBP => registers.rbp,
        Register::RSP => registers.rsp,
        Register::R8 => registers.r8,
        Register::R9 => registers.r9,
        Register::R10 => registers.r10,
        Register::R11 => registers.r11,
        Register::R12 => registers.r12,
        Register::R13 => registers.r13,
        Register::R14 => registers.r14,
        Register::R15 => registers.r15,
        // The decoder has already resolved addresses relative to the instruction.
        Register::RIP => 0,
        other => panic!("an address from {other:?}"),
    }
}

/// A traced process, stopped.
struct Child(libc::pid_t);

impl Child {
    /// Starts this program again under trace, its memory laid out alike each time.
    fn start(operation: &str, path: &str, secret: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(["traced", operation, path, secret]).env_clear();
        // SAFETY: both calls are safe between fork and exec: they allocate nothing and take no lock.
        unsafe {
            command.pre_exec(|| {
                let fixed = libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong);
                let traced = libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
                if fixed == -1 || traced == -1 { Err(Error::last_os_error()) } else { Ok(()) }
            });
        }
        let child = command.spawn().expect("the traced process starts");
        let child = Self(child.id().cast_signed());
        assert_eq!(child.wait(), Some(libc::SIGTRAP), "stopped at its first instruction");
        child
    }

    fn run_to_breakpoint(&self) {
        self.request(libc::PTRACE_CONT, 0, 0);
        assert_eq!(self.wait(), Some(libc::SIGTRAP), "the first breakpoint");
    }

    fn step(&self) {
        self.request(libc::PTRACE_SINGLESTEP, 0, 0);
        assert_eq!(self.wait(), Some(libc::SIGTRAP), "a step");
    }

    fn registers(&self) -> libc::user_regs_struct {
        // SAFETY: a structure of integers, for which zeros are values.
        let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        let place = &raw mut registers;
        self.request(libc::PTRACE_GETREGS, 0, place as usize);
        registers
    }

    fn word(&self, at: u64) -> u64 {
        // SAFETY: reads the traced process, which is stopped; nothing of ours is written.
        let word = unsafe { libc::ptrace(libc::PTRACE_PEEKTEXT, self.0, at, 0) };
        word.cast_unsigned()
    }

    fn request(&self, request: libc::c_uint, address: usize, data: usize) {
        // SAFETY: the process is ours and stopped; PTRACE_GETREGS writes the structure that `data` points to.
        let result = unsafe { libc::ptrace(request, self.0, address, data) };
        assert_ne!(result, -1, "ptrace: {}", Error::last_os_error());
    }

    /// The signal it stopped with; `None` when it ended.
    fn wait(&self) -> Option<libc::c_int> {
        let mut status = 0;
        // SAFETY: the process is ours; the status is written.
        let result = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        assert_eq!(result, self.0, "waitpid: {}", Error::last_os_error());
        libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: the process is ours and has not been waited for.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
        let mut status = 0;
        // SAFETY: as in `wait`.
        unsafe { libc::waitpid(self.0, &raw mut status, 0) };
    }
}

/// Where Linux puts a position-independent program when addresses are not random.
const BASE: u64 = 0x5555_5555_4000;

/// Few bits, many bits, and neither; all in range as d and as nonces.
const SECRETS: [&str; 4] = [
    "0000000000000000000000000000000000000000000000000000000000000001",
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8",
    "a5c3f01e7d2b96884de13370c0ffee5544332211ffeeddccbbaa998877665544",
];
