//! Denies the system calls that start programs, reach into other processes, or change the machine.
//!
//! They fail with EPERM, so that a library which only tries one goes on. A call in the manner of
//! another architecture ends the process: nothing here makes one, and the numbers would not fit.

use std::collections::BTreeMap;

use libc::c_long;
#[cfg(target_arch = "x86_64")]
use seccompiler::sock_filter;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

const DENIED: [c_long; 60] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // The kernel itself, and those parts of it that attackers like best.
    libc::SYS_kexec_load,
    KEXEC_FILE_LOAD,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_syslog,
    libc::SYS_lookup_dcookie,
    libc::SYS_personality,
    // The tree of files, and ways around it.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_mount_setattr,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_mknodat,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    // Namespaces.
    libc::SYS_unshare,
    libc::SYS_setns,
    // The machine.
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_acct,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    // Other users.
    libc::SYS_setuid,
    libc::SYS_setresuid,
    libc::SYS_setgid,
    libc::SYS_setresgid,
];

/// Not in the libc crate yet; new calls have one number on all architectures.
const OPEN_TREE_ATTR: c_long = 467;

#[cfg(target_arch = "x86_64")]
const KEXEC_FILE_LOAD: c_long = libc::SYS_kexec_file_load;
/// Not in the libc crate for musl.
#[cfg(target_arch = "aarch64")]
const KEXEC_FILE_LOAD: c_long = 294;

/// Calls that one architecture alone has.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: [c_long; 5] = [
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_mknod,
];
#[cfg(target_arch = "aarch64")]
const DENIED_HERE: [c_long; 0] = [];

const ARCHITECTURE: TargetArch = if cfg!(target_arch = "x86_64") {
    TargetArch::x86_64
} else {
    TargetArch::aarch64
};

const DENY: SeccompAction = SeccompAction::Errno(libc::EPERM as u32);

/// Installs the filters, which nothing takes away again.
pub(super) fn filter() -> Result<(), Error> {
    #[cfg(target_arch = "x86_64")]
    deny_x32()?;
    install(denied_calls()?, DENY)?;
    // The flags of clone3 lie in memory, where no filter can look. A C library that finds it
    // missing uses clone, whose flags can be judged.
    let missing = SeccompAction::Errno(libc::ENOSYS as u32);
    install(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), missing)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn install(rules: Rules, action: SeccompAction) -> Result<(), Error> {
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, ARCHITECTURE)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter_all_threads(&program)
}

fn denied_calls() -> Result<Rules, Error> {
    let calls = DENIED.iter().chain(&DENIED_HERE);
    let mut rules: Rules = calls.map(|&call| (call, Vec::new())).collect();
    rules.insert(libc::SYS_socket, vec![other_sockets()?]);
    rules.insert(libc::SYS_clone, new_namespaces()?);
    rules.insert(libc::SYS_ioctl, terminal_input()?);
    Ok(rules)
}

/// Denies all of x32, whose calls come with the architecture of x86_64 and a bit in their number:
/// a list of what is denied would otherwise have to name each twice.
#[cfg(target_arch = "x86_64")]
fn deny_x32() -> Result<(), Error> {
    const X32: u32 = 0x4000_0000;
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_IF_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    let step = |code, jf, k| sock_filter { code, jt: 0, jf, k };
    seccompiler::apply_filter_all_threads(&[
        step(LOAD_NUMBER, 0, 0),
        step(JUMP_IF_AT_LEAST, 1, X32),
        step(RETURN, 0, DENY.into()),
        step(RETURN, 0, SeccompAction::Allow.into()),
    ])
}

/// Matches a socket of any family but those of WireGuard's two ways of control and of the API.
fn other_sockets() -> Result<SeccompRule, Error> {
    let families = [
        libc::AF_UNIX,
        libc::AF_INET,
        libc::AF_INET6,
        libc::AF_NETLINK,
    ];
    let differs = |family| condition(0, SeccompCmpOp::Ne, family as u64);
    let conditions: Result<Vec<SeccompCondition>, Error> =
        families.into_iter().map(differs).collect();
    Ok(SeccompRule::new(conditions?)?)
}

fn new_namespaces() -> Result<Vec<SeccompRule>, Error> {
    let flags = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ];
    let has = |flag: i32| {
        let flag = u64::from(flag.cast_unsigned());
        let condition = condition(0, SeccompCmpOp::MaskedEq(flag), flag)?;
        Ok(SeccompRule::new(vec![condition])?)
    };
    flags.into_iter().map(has).collect()
}

/// Typing into the terminal that the agent was started from.
fn terminal_input() -> Result<Vec<SeccompRule>, Error> {
    const TIOCLINUX: u64 = 0x541c;
    let is = |request| {
        let condition = condition(1, SeccompCmpOp::Eq, request)?;
        Ok(SeccompRule::new(vec![condition])?)
    };
    [0x5412 /* TIOCSTI */, TIOCLINUX]
        .into_iter()
        .map(is)
        .collect()
}

fn condition(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompCondition, Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)?;
    Ok(condition)
}
