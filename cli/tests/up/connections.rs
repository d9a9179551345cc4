//! What connections cost the process.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use crate::process::{Up, command};

/// Connections that are opened.
const CONNECTIONS: usize = 500;
/// What each may cost.
const KIB_EACH: usize = 64;

fn resident_kib(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_connection_costs_little_silent_or_kept_alive() {
    if !cfg!(target_os = "linux") {
        return println!("left out: only Linux tells what a process holds");
    }
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(command(folder.path())).unwrap();
    let address = up.ready["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    // Once answered, a connection has had everything that it will have.
    let asked = |address: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 4_096]).unwrap() > 0);
        stream
    };
    drop(asked(&address));
    let before = resident_kib(up.pid());
    let streams: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|n| if n % 2 == 0 { asked(&address) } else { TcpStream::connect(&address).unwrap() })
        .collect();
    // The last is accepted after all others.
    drop(asked(&address));
    let each = resident_kib(up.pid()).saturating_sub(before) / CONNECTIONS;
    assert!(each <= KIB_EACH, "{each} KiB");
    drop(streams);
    assert_eq!(up.terminate().code(), Some(0));
}
