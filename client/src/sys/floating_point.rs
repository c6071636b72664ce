//! Which floating-point exceptions trap, and how results are rounded. Rust code assumes the default, but a host may have
//! changed its threads' state. With traps enabled, parsing a number that overflows or underflows would end the process.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;

/// Runs `run`, which must not unwind, in the default state. Afterwards the host's is restored, including its exception
/// flags.
pub fn with_default_floating_point<T>(run: impl FnOnce() -> T) -> T {
    let hosts = state();
    set(DEFAULT);
    let result = run();
    set(hosts);
    result
}

/// For a thread of the library.
pub(super) fn use_default_floating_point() {
    set(DEFAULT);
}

#[cfg(target_arch = "x86_64")]
const DEFAULT: u32 = 0x1f80;

#[cfg(target_arch = "x86_64")]
fn state() -> u32 {
    let mut state = 0;
    // SAFETY: writes only this number.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut state, options(nostack, preserves_flags)) };
    state
}

#[cfg(target_arch = "x86_64")]
fn set(state: u32) {
    // SAFETY: only reads the number. It is the state that Rust code assumes, or the one that the host had.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const state, options(nostack, preserves_flags)) };
}

#[cfg(target_arch = "aarch64")]
const DEFAULT: (u64, u64) = (0, 0);

/// The control and the status register.
#[cfg(target_arch = "aarch64")]
fn state() -> (u64, u64) {
    let (control, status);
    // SAFETY: reads these registers.
    unsafe {
        asm!("mrs {}, fpcr", "mrs {}, fpsr", out(reg) control, out(reg) status, options(nostack, preserves_flags))
    };
    (control, status)
}

#[cfg(target_arch = "aarch64")]
fn set((control, status): (u64, u64)) {
    // SAFETY: it is the state that Rust code assumes, or the one that the host had.
    unsafe { asm!("msr fpcr, {}", "msr fpsr, {}", in(reg) control, in(reg) status, options(nostack, preserves_flags)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const DEFAULT: () = ();

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn state() {}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn set((): ()) {}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::super::start_thread;
    use super::*;
    use std::hint::black_box;

    /// Without the flags of past exceptions.
    fn control() -> u32 {
        state() & !0x3f
    }

    /// All but inexact results trap, and results are rounded up.
    const HOSTS: u32 = 0x1000 | 0x4000;

    #[test]
    fn new_threads_have_the_default_floating_point_state() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let before = state();
        set(HOSTS);
        let thread = start_thread("arr-test", move || sender.send(control()).unwrap());
        let here = control();
        set(before);
        thread.unwrap().join().unwrap();
        assert_eq!((receiver.recv().unwrap(), here), (DEFAULT, HOSTS));
    }

    #[test]
    fn numbers_of_any_size_are_read_and_the_hosts_state_is_restored() {
        let before = state();
        set(HOSTS);
        let read = with_default_floating_point(|| {
            ["1e-400", "17e308"].map(|number| serde_json::from_str::<f64>(black_box(number)).ok())
        });
        let after = state();
        set(before);
        assert_eq!((read, after), ([Some(0.0), None], HOSTS));
    }
}
