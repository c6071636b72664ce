//! Threads that do not disturb the host's process. A new thread inherits settings of the thread that starts it; the
//! library's threads must not keep these:
//!
//! * **Signals**: the host's handlers expect the host's threads, and writing to a connection that the peer has closed
//!   raises SIGPIPE, which ends a C program. So all signals except those of a fault are blocked while a thread is
//!   started. The new thread inherits the mask; the starting thread's is restored.
//! * **Priority and processors** (Linux and Android): a render thread may run at real-time priority on one core. The
//!   library's threads run at normal priority, with the nice value, processors and I/O priority that the process's main
//!   thread had when the first of them was started. (Lowering a nice value needs a privilege.)
//! * **Floating point**: a host may have unmasked exceptions or changed the rounding, which Rust code must not see.

use super::floating_point::use_default_floating_point;
use super::module::pin_module;
use super::stack::wipe_stack_at_end;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{Builder, JoinHandle};

/// The default, except that the host's environment (`RUST_MIN_STACK`) does not change it.
const STACK: usize = 2 * 1024 * 1024;

/// Starts a thread.
pub(crate) fn start_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    pin_module();
    let processors = Processors::of_process();
    let run = move || {
        wipe_stack_at_end();
        become_ordinary(&processors);
        use_default_floating_point();
        work();
    };
    without_signals(|| Builder::new().name(name.into()).stack_size(STACK).spawn(run))
}

/// Runs `work`, which starts threads, on an ordinary thread whose settings they inherit. If none can be started, runs
/// it here, where they inherit the caller's.
pub(crate) fn run_on_ordinary_thread<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let work = Arc::new(Mutex::new(Some(work)));
    let for_thread = Arc::clone(&work);
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (sender, result) = mpsc::sync_channel(1);
    let run = move || {
        if let Some(work) = take(&for_thread) {
            drop(sender.send(catch_unwind(AssertUnwindSafe(work))));
        }
    };
    let outcome = start_thread(name, run).ok().and_then(|thread| {
        let outcome = result.recv().ok();
        drop(thread.join());
        outcome
    });
    match (outcome, take(&work)) {
        (Some(outcome), _) => outcome.unwrap_or_else(|panic| resume_unwind(panic)),
        (None, Some(work)) => without_signals(work),
        (None, None) => unreachable!("a thread that takes the work sends its outcome"),
    }
}

/// Runs `start` with all signals blocked except those raised by a fault. Threads that it starts inherit the mask.
#[cfg(unix)]
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    let _restored = Blocked::all();
    start()
}

/// This platform has no signals.
#[cfg(not(unix))]
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    start()
}

/// Runs `write`, which writes to sockets or files, on a thread of the host's. There, a write to a connection that the
/// peer has closed raises SIGPIPE, and a write beyond the limit on a file's size raises SIGXFSZ. Both would end the
/// process, so they are blocked, and discarded if `write` raises them.
#[cfg(unix)]
pub(crate) fn without_write_signals<T>(write: impl FnOnce() -> T) -> T {
    const SIGNALS: [libc::c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];
    let pending = || {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: the set is writable, and zeroed bytes are a valid one; sigismember only reads it.
        SIGNALS.map(|signal| unsafe {
            libc::sigpending(set.as_mut_ptr());
            libc::sigismember(set.as_ptr(), signal) == 1
        })
    };
    let _restored = Blocked::all();
    let before = pending();
    let result = write();
    for ((signal, before), now) in SIGNALS.into_iter().zip(before).zip(pending()) {
        if now && !before {
            let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
            // SAFETY: the set is writable, and emptied before it is used. The signal is pending, so sigwait returns at
            // once.
            unsafe {
                libc::sigemptyset(set.as_mut_ptr());
                libc::sigaddset(set.as_mut_ptr(), signal);
                libc::sigwait(set.as_ptr(), &mut 0);
            }
        }
    }
    result
}

/// This platform has no signals.
#[cfg(not(unix))]
pub(crate) fn without_write_signals<T>(write: impl FnOnce() -> T) -> T {
    write()
}

/// The calling thread's previous mask. Restored on drop, even if `start` panics.
#[cfg(unix)]
struct Blocked(Option<libc::sigset_t>);

#[cfg(unix)]
impl Blocked {
    fn all() -> Blocked {
        /// If these were blocked, a fault would end the process without calling the host's handler.
        const FAULTS: [libc::c_int; 7] =
            [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGSYS];
        let mut signals = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        let mut before = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: both sets are writable, and sigfillset initialises the first before it is changed and read.
        let blocked = unsafe {
            libc::sigfillset(signals.as_mut_ptr());
            for fault in FAULTS {
                libc::sigdelset(signals.as_mut_ptr(), fault);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), before.as_mut_ptr()) == 0
        };
        // SAFETY: pthread_sigmask has succeeded and filled it; zeroed bytes are a valid set in any case.
        Blocked(blocked.then(|| unsafe { before.assume_init() }))
    }
}

#[cfg(unix)]
impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // SAFETY: `before` is a valid set, and a null pointer is allowed for the old mask.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
        }
    }
}

/// The processors that the process may use; `None` if the system does not say.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Clone, Copy)]
struct Processors(Option<libc::cpu_set_t>, libc::c_int);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Processors {
    /// The processors of the main thread at the first call.
    fn of_process() -> Processors {
        static FIRST: once_cell::sync::OnceCell<Processors> = once_cell::sync::OnceCell::new();
        *FIRST.get_or_init(|| {
            let mut set = std::mem::MaybeUninit::<libc::cpu_set_t>::zeroed();
            let main = libc::pid_t::try_from(std::process::id()).unwrap_or(0);
            // SAFETY: the set is writable and has the size given.
            let found = unsafe { libc::sched_getaffinity(main, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) } == 0;
            // SAFETY: zeroed bytes are a valid set, and the system may have filled it.
            let set = found.then(|| unsafe { set.assume_init() });
            // SAFETY: no pointer is involved. A failure is -1, a nice value too.
            Processors(set, unsafe { libc::getpriority(libc::PRIO_PROCESS, main as _) })
        })
    }
}

/// Ignores failures: the thread works anyway.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn become_ordinary(processors: &Processors) {
    // SAFETY: the parameter is a valid sched_param, and the set a valid one of the size given; 0 is this thread.
    unsafe {
        let ordinary: libc::sched_param = std::mem::zeroed();
        libc::sched_setscheduler(0, libc::SCHED_NORMAL, &raw const ordinary);
        libc::setpriority(libc::PRIO_PROCESS, 0, processors.1);
        // IOPRIO_WHO_PROCESS, this thread, and the priority that follows the nice value.
        libc::syscall(libc::SYS_ioprio_set, 1, 0, 0);
        if let Some(set) = &processors.0 {
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), set);
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
struct Processors;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Processors {
    fn of_process() -> Processors {
        Processors
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn become_ordinary(_: &Processors) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The signals that the calling thread blocks.
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap().trim();
        u64::from_str_radix(mask, 16).unwrap()
    }

    fn bit(signal: libc::c_int) -> u64 {
        1 << (signal - 1)
    }

    /// Runs itself again in another process, because the variable is read once.
    #[test]
    fn the_environment_does_not_change_the_stack_of_new_threads() {
        /// The stack of the calling thread.
        fn stack_size() -> usize {
            let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::zeroed();
            let mut size = 0;
            // SAFETY: the first call initialises the attributes, which the others read and free.
            unsafe {
                assert_eq!(libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()), 0);
                libc::pthread_attr_getstacksize(attributes.as_ptr(), &raw mut size);
                libc::pthread_attr_destroy(attributes.as_mut_ptr());
            }
            size
        }
        const VARIABLE: &str = "RUST_MIN_STACK";
        const OTHER: usize = 3 * STACK;
        if std::env::var(VARIABLE).is_ok_and(|size| size == OTHER.to_string()) {
            let (sender, receiver) = std::sync::mpsc::channel();
            start_thread("arr-test", move || sender.send(stack_size()).unwrap()).unwrap().join().unwrap();
            let size = receiver.recv().unwrap();
            assert!((STACK..2 * STACK).contains(&size), "{size}");
            return;
        }
        let module = module_path!().split_once("::").unwrap().1;
        let test = format!("{module}::the_environment_does_not_change_the_stack_of_new_threads");
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let ended = again.args(["--exact", &test]).env(VARIABLE, OTHER.to_string()).output().unwrap();
        let printed = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && printed.contains("1 passed"), "{printed}");
    }

    #[test]
    fn new_threads_block_signals_and_the_callers_mask_is_restored() {
        let before = blocked();
        assert_eq!(before & bit(libc::SIGPIPE), 0);
        let (sender, receiver) = std::sync::mpsc::channel();
        start_thread("arr-test", move || sender.send(blocked()).unwrap()).unwrap().join().unwrap();
        let mask = receiver.recv().unwrap();
        for signal in [libc::SIGPIPE, libc::SIGUSR1, libc::SIGTERM, libc::SIGALRM, libc::SIGCHLD] {
            assert_ne!(mask & bit(signal), 0, "{signal}");
        }
        assert_eq!(mask & (bit(libc::SIGSEGV) | bit(libc::SIGABRT)), 0);
        assert_eq!(blocked(), before);
        without_write_signals(|| {
            // SAFETY: both signals are blocked, and raise has no other effect.
            unsafe {
                libc::raise(libc::SIGPIPE);
                libc::raise(libc::SIGXFSZ);
            }
        });
        assert_eq!(blocked(), before, "the process survives");
        assert!(std::panic::catch_unwind(|| without_signals(|| panic!("on purpose"))).is_err());
        assert_eq!(blocked(), before);
    }
}
