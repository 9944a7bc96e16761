//! What sshd runs for a helper, as the account: it asks the daemon, runs the account's command on a terminal of its own,
//! and shows nothing that the daemon has not written down. It ends with the daemon's connection; that it is not the one
//! who decides is why the helper gains nothing by stopping it.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use super::GateError;
use super::recording::{Answer, Hello, Stream, head};
use crate::limits;

/// Asks the daemon for a certificate.
///
/// # Errors
/// The daemon is not there, or says no.
pub fn certificate(socket: &Path, key: &str) -> Result<String, GateError> {
    let hello = Hello { key: key.to_owned(), session: false, asked: None, terminal: None };
    match ask(socket, &hello)?.1 {
        Answer::Certificate(text) => Ok(text),
        Answer::No(why) => Err(GateError::Refused(why)),
        Answer::Go { .. } => Err(GateError::Daemon),
    }
}

fn ask(socket: &Path, hello: &Hello) -> Result<(UnixStream, Answer), GateError> {
    let gone = |_: io::Error| GateError::Daemon;
    let stream = UnixStream::connect(socket).map_err(gone)?;
    let mut line = serde_json::to_vec(hello).map_err(|_| GateError::Daemon)?;
    line.push(b'\n');
    (&stream).write_all(&line).map_err(gone)?;
    let mut answer = String::new();
    // The daemon sends one line and no more.
    BufReader::new(&stream).take(limits::HELLO_BYTES).read_line(&mut answer).map_err(gone)?;
    let answer = serde_json::from_str(&answer).map_err(|_| GateError::Daemon)?;
    Ok((stream, answer))
}

/// Runs a session, and says the exit code of what ran.
///
/// # Errors
/// The daemon is not there or says no, or nothing could be started.
pub fn run(socket: &Path, key: &str, asked: Option<String>, shell: &str) -> Result<u8, GateError> {
    let outer = io::stdin().is_terminal().then(|| tcgetattr(io::stdin())).and_then(Result::ok);
    let size = tcgetwinsize(io::stdin()).ok().filter(|_| outer.is_some());
    let terminal = size.map(|size| (size.ws_col, size.ws_row));
    let hello = Hello { key: key.to_owned(), session: true, asked: asked.clone(), terminal };
    let (stream, answer) = ask(socket, &hello)?;
    let command = match answer {
        Answer::Go { command } => command,
        Answer::No(why) => return Err(GateError::Refused(why)),
        Answer::Certificate(_) => return Err(GateError::Daemon),
    };
    let recorder = Recorder(Arc::new(Mutex::new(stream.try_clone().map_err(|_| GateError::Daemon)?)));
    let words = words(command, asked, shell);
    let told = |error: io::Error| GateError::Program { program: "the account's command", reason: error.to_string() };
    match outer {
        Some(outer) => on_terminal(&words, &outer, recorder, stream).map_err(told),
        None => on_pipes(&words, recorder, stream).map_err(told),
    }
}

/// What runs: the entity's command, which finds what the helper asked for in SSH_ORIGINAL_COMMAND, or the shell.
fn words(command: Option<String>, asked: Option<String>, shell: &str) -> Vec<String> {
    match (command, asked) {
        (Some(command), _) => vec!["/bin/sh".to_owned(), "-c".to_owned(), command],
        (None, Some(asked)) => vec![shell.to_owned(), "-c".to_owned(), asked],
        (None, None) => vec![shell.to_owned()],
    }
}

/// The daemon's end of the session.
#[derive(Clone)]
struct Recorder(Arc<Mutex<UnixStream>>);

impl Recorder {
    fn send(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let mut to = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        to.write_all(&head(stream, bytes.len()))?;
        to.write_all(bytes)
    }
    /// Copies until either end is gone; what is shown is written down first.
    fn copy(&self, mut from: impl Read, mut to: impl Write, stream: Option<Stream>) {
        let mut buffer = [0; 8 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..read];
            let recorded = stream.map_or(Ok(()), |stream| self.send(stream, bytes));
            if recorded.and_then(|()| to.write_all(bytes)).and_then(|()| to.flush()).is_err() {
                break;
            }
        }
    }
}

/// Waits for what runs, or for the daemon to close; then nothing goes on.
fn wait(child: Child, mut stream: UnixStream) -> io::Result<u8> {
    let child = Arc::new(Mutex::new(child));
    let watched = Arc::clone(&child);
    thread::spawn(move || {
        let mut byte = [0];
        // The daemon says nothing more: whatever comes is its end.
        let _ = stream.read(&mut byte);
        let _ = watched.lock().unwrap_or_else(PoisonError::into_inner).kill();
    });
    loop {
        // Not held while waiting, so that the thread above can end it.
        if let Some(status) = child.lock().unwrap_or_else(PoisonError::into_inner).try_wait()? {
            return Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255));
        }
        thread::sleep(limits::SESSION_LOOK);
    }
}

fn on_pipes(words: &[String], recorder: Recorder, stream: UnixStream) -> io::Result<u8> {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (done, both) = mpsc::channel();
    if let Some(input) = input {
        let recorder = recorder.clone();
        thread::spawn(move || recorder.copy(io::stdin(), input, Some(Stream::In)));
    }
    let (of_out, of_err, also) = (recorder.clone(), recorder, done.clone());
    thread::spawn(move || {
        if let Some(out) = out {
            of_out.copy(out, io::stdout(), Some(Stream::Out));
        }
        let _ = done.send(());
    });
    thread::spawn(move || {
        if let Some(err) = err {
            of_err.copy(err, io::stderr(), Some(Stream::Out));
        }
        let _ = also.send(());
    });
    let code = wait(child, stream)?;
    // What was written last is still shown; what runs on in the background is not waited for.
    for _ in 0..2 {
        let _ = both.recv_timeout(limits::SESSION_DRAIN);
    }
    Ok(code)
}

fn on_terminal(words: &[String], outer: &Termios, recorder: Recorder, stream: UnixStream) -> io::Result<u8> {
    let inner = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&inner)?;
    unlockpt(&inner)?;
    let name = ptsname(&inner, Vec::new())?.into_string().map_err(io::Error::other)?;
    let no_controlling = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap_or(0);
    let end = || OpenOptions::new().read(true).write(true).custom_flags(no_controlling).open(&name);
    tcsetattr(&end()?, OptionalActions::Now, outer)?;
    let size = tcgetwinsize(io::stdin())?;
    tcsetwinsize(&inner, size)?;
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait"]).args(words).stdin(end()?).stdout(end()?).stderr(end()?);
    let child = command.spawn()?;
    drop(command);
    let mut raw = outer.clone();
    raw.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
    let (to, from): (OwnedFd, OwnedFd) = (inner.try_clone()?, inner.try_clone()?);
    let silent = recorder.clone();
    // What is typed is shown by the terminal, and a password is not.
    thread::spawn(move || silent.copy(io::stdin(), std::fs::File::from(to), None));
    let (done, shown) = mpsc::channel();
    thread::spawn(move || {
        recorder.copy(std::fs::File::from(from), io::stdout(), Some(Stream::Out));
        let _ = done.send(());
    });
    thread::spawn(move || {
        loop {
            thread::sleep(limits::SESSION_RESIZE);
            if let Ok(now) = tcgetwinsize(io::stdin()) {
                let _ = tcsetwinsize(&inner, now);
            }
        }
    });
    let code = wait(child, stream);
    let _ = shown.recv_timeout(limits::SESSION_DRAIN);
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, outer);
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entitys_command_comes_before_whatever_the_helper_asks_for() {
        let check = |command: Option<&str>, asked: Option<&str>, expect: &[&str]| {
            assert_eq!(words(command.map(str::to_owned), asked.map(str::to_owned), "/bin/bash"), expect);
        };
        check(Some("look"), Some("rm -rf /"), &["/bin/sh", "-c", "look"]);
        check(None, Some("id"), &["/bin/bash", "-c", "id"]);
        check(None, None, &["/bin/bash"]);
    }
}
