//! What a laboratory of network namespaces needs of the kernel.

#![expect(unsafe_code, reason = "setns, TUNSETIFF and setresuid of one thread have no safe wrapper here")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

/// From linux/if_tun.h.
const TUNSETIFF: libc::Ioctl = 0x4004_54ca;
const IFF_TUN: i16 = 0x0001;
const IFF_TAP: i16 = 0x0002;
const IFF_NO_PI: i16 = 0x1000;

/// Moves the calling thread into a network namespace; threads it starts are born there.
pub(crate) fn enter(namespace: &str) -> io::Result<()> {
    let file = File::open(format!("/run/netns/{namespace}"))?;
    // SAFETY: setns takes a descriptor, which is open, and touches no memory.
    let result = unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes a TUN device in the calling thread's namespace; whole IP packets are read from and written to the file.
pub(crate) fn tun(name: &str) -> io::Result<File> {
    device(name, IFF_TUN)
}

/// The same with Ethernet: whole frames.
pub(crate) fn tap(name: &str) -> io::Result<File> {
    device(name, IFF_TAP)
}

fn device(name: &str, kind: i16) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    let mut request = [0u8; 40];
    request[..name.len()].copy_from_slice(name.as_bytes());
    request[16..18].copy_from_slice(&(kind | IFF_NO_PI).to_ne_bytes());
    // SAFETY: the kernel reads and writes a `struct ifreq`, which is 40 bytes, at most.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF, request.as_mut_ptr()) };
    if result == 0 { Ok(file) } else { Err(io::Error::last_os_error()) }
}

/// Makes the calling thread, and those it starts, an ordinary user without capabilities.
pub(crate) fn drop_privileges() -> io::Result<()> {
    const NOBODY: libc::c_long = 65_534;
    // SAFETY: the system call takes three integers; unlike the library's function it concerns this thread alone.
    let result = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
