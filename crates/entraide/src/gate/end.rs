//! Ends every process of an account: by its cgroup where systemd made one, and by walking /proc.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::limits;

/// A process, as /proc/PID/status says (proc(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    /// Real, effective, saved, of the file system.
    uids: Vec<u32>,
}

fn read(pid: i32, status: &str) -> Option<Process> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let parent = field("PPid:")?.trim().parse().ok()?;
    let uids = field("Uid:")?.split_whitespace().map(|word| word.parse().ok()).collect::<Option<_>>()?;
    Some(Process { pid, parent, uids })
}

fn look(pid: i32) -> Option<Process> {
    read(pid, &fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// Those of the accounts, and whatever they started under another account; never this process.
fn doomed<'p>(all: &'p [Process], uids: &BTreeSet<u32>, me: i32) -> Vec<&'p Process> {
    let mut marked: BTreeSet<i32> =
        all.iter().filter(|one| one.uids.iter().any(|uid| uids.contains(uid))).map(|one| one.pid).collect();
    loop {
        let before = marked.len();
        let children = all.iter().filter(|one| marked.contains(&one.parent)).map(|one| one.pid);
        marked.extend(children.collect::<Vec<_>>());
        if marked.len() == before {
            break;
        }
    }
    all.iter().filter(|one| marked.contains(&one.pid) && one.pid != me && one.pid > 1).collect()
}

/// Ends them all, and says how many there were. What is born meanwhile is looked for again.
#[must_use]
pub fn processes_of(uids: &BTreeSet<u32>) -> usize {
    let me = i32::try_from(std::process::id()).unwrap_or(0);
    let mut ended = 0;
    for _ in 0..limits::END_PASSES {
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let all: Vec<Process> =
            pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(look).collect();
        let found = doomed(&all, uids, me);
        if found.is_empty() {
            break;
        }
        for uid in uids {
            // Where pam_systemd made a slice for the account, it holds what changed its account too.
            let _ = fs::write(format!("/sys/fs/cgroup/user.slice/user-{uid}.slice/cgroup.kill"), b"1");
        }
        ended += found.into_iter().filter(|process| end(process)).count();
    }
    ended
}

/// Ends a process, unless its number is another's by now.
fn end(process: &Process) -> bool {
    let Some(pid) = Pid::from_raw(process.pid) else { return false };
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    look(process.pid).as_ref() == Some(process) && pidfd_send_signal(&handle, Signal::KILL).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_account_started_ends_with_it_and_nothing_else_does() {
        let process = |pid, parent, uid| Process { pid, parent, uids: vec![uid; 4] };
        let all = [
            process(1, 0, 0),
            process(10, 1, 0),
            process(20, 10, 990),
            process(21, 20, 990),
            // By sudo, and what that started.
            process(22, 21, 0),
            process(23, 22, 0),
            // Left its session behind.
            process(24, 1, 990),
            process(30, 10, 991),
            // Runs a program that is another's (setuid).
            Process { pid: 31, parent: 1, uids: vec![990, 0, 0, 0] },
        ];
        let pids = |me| doomed(&all, &BTreeSet::from([990]), me).iter().map(|one| one.pid).collect::<Vec<_>>();
        assert_eq!(pids(5), [20, 21, 22, 23, 24, 31]);
        assert_eq!(pids(22), [20, 21, 23, 24, 31]);
        assert!(doomed(&all, &BTreeSet::new(), 5).is_empty());
    }

    #[test]
    fn a_process_is_read_as_the_system_writes_it() {
        let status = "Name:\tsh\nUmask:\t0022\nPPid:\t20\nUid:\t990\t990\t990\t990\nGid:\t980\t980\t980\t980\n";
        assert_eq!(read(21, status), Some(Process { pid: 21, parent: 20, uids: vec![990; 4] }));
        assert_eq!(read(21, "Name:\tsh\n"), None);
        assert!(look(i32::try_from(std::process::id()).unwrap()).is_some());
    }
}
