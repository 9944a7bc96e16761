//! A mail server and a gateway of the test's own: what they are told, byte for byte.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

type Heard = Arc<Mutex<Vec<String>>>;

/// How a mail server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    Takes,
    Refuses,
    /// Takes the mail, and never says so.
    Hangs,
}

pub struct Sink {
    pub address: String,
    heard: Heard,
}

impl Sink {
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn start(talk: impl Fn(TcpStream, &Heard) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = Heard::default();
        let (kept, talk) = (Arc::clone(&heard), Arc::new(talk));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (talk, heard) = (Arc::clone(&talk), Arc::clone(&kept));
                std::thread::spawn(move || talk(stream.unwrap(), &heard));
            }
        });
        Self { address, heard }
    }

    pub fn mail(manners: Manners) -> Self {
        Self::start(move |stream, heard| {
            let _ = smtp(stream, heard, manners);
        })
    }

    pub fn gateway() -> Self {
        Self::start(|stream, heard| {
            let _ = http(stream, heard);
        })
    }
}

fn smtp(stream: TcpStream, heard: &Heard, manners: Manners) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let mut told = String::new();
    out.write_all(b"220 sink\r\n")?;
    while let Some(line) = lines.next() {
        let line = line?;
        told += &format!("{line}\n");
        match line.split([' ', ':']).next().unwrap_or_default() {
            "RCPT" if manners == Manners::Refuses => out.write_all(b"550 nobody of that name\r\n")?,
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    told += &format!("{line}\n");
                }
                heard.lock().unwrap().push(std::mem::take(&mut told));
                if manners == Manners::Hangs {
                    std::thread::sleep(std::time::Duration::from_secs(600));
                }
                out.write_all(b"250 taken\r\n")?;
            }
            "QUIT" => return out.write_all(b"221 bye\r\n"),
            _ => out.write_all(b"250 sink\r\n")?,
        }
    }
    Ok(())
}

fn http(stream: TcpStream, heard: &Heard) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    heard.lock().unwrap().push(head + &String::from_utf8(body).unwrap());
    out.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
}
