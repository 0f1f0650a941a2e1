//! The memory that this program takes.

use std::fs;
use std::io;
use std::path::Path;

use rustix::mm::{Advice, madvise};

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mapped {
    begin: usize,
    length: usize,
}

/// Lets all threads take memory from one arena, for programs whose threads each need much for a moment and never at once:
/// what a thread frees in an arena of its own nobody else can use, and the system does not get it back.
///
/// Counts for threads that are started afterwards. Does nothing where the allocator is not that of the GNU C library.
pub fn share_one_arena() {
    // SAFETY: it sets a number in the allocator, which reads it when a thread allocates for the first time.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1)
    };
}

/// Lets go of the pages of this program's code; what is run again comes back from the kernel's cache of files.
///
/// Most of the code that a start runs, for commands and settings, is never run again, but the kernel counts the pages
/// around it as this process's memory for as long as it lives: two thirds of what a worker at rest has.
///
/// # Errors
/// When the kernel does not tell what is mapped, or does not let go.
pub fn let_go_of_code() -> io::Result<()> {
    let program = fs::read_link("/proc/self/exe")?;
    for Mapped { begin, length } in code(&fs::read_to_string("/proc/self/maps")?, &program) {
        // SAFETY: the range is a mapping of the program's file that nobody can write to, so its pages are those of the
        // file; the next access reads them from there.
        unsafe { madvise(begin as *mut _, length, Advice::LinuxDontNeed)? };
    }
    Ok(())
}

/// What is mapped of a program to be run, and cannot be written to.
fn code(maps: &str, program: &Path) -> Vec<Mapped> {
    let mapped = maps.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (range, permissions) = (words.next()?, words.next()?);
        let path = line.splitn(6, ' ').nth(5)?.trim_start();
        if permissions != "r-xp" || Path::new(path) != program {
            return None;
        }
        let (begin, end) = range.split_once('-')?;
        let begin = usize::from_str_radix(begin, 16).ok()?;
        let length = usize::from_str_radix(end, 16).ok()?.checked_sub(begin)?;
        Some(Mapped { begin, length })
    });
    mapped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
        55d0c0000000-55d0c0100000 r--p 00000000 fe:00 10178848                   /usr/bin/net wark\n\
        55d0c0100000-55d0c0300000 r-xp 00100000 fe:00 10178848                   /usr/bin/net wark\n\
        55d0c0300000-55d0c0310000 r--p 00300000 fe:00 10178848                   /usr/bin/net wark\n\
        55d0c0310000-55d0c0320000 rwxp 00310000 fe:00 10178848                   /usr/bin/net wark\n\
        7f338227c000-7f33823d2000 r-xp 00026000 fe:00 326279                     /usr/lib/libc.so.6\n\
        7ffc13d0f000-7ffc13d32000 rw-p 00000000 00:00 0                          [stack]\n";

    #[test]
    fn only_code_that_cannot_be_written_to_counts() {
        let found = code(MAPS, Path::new("/usr/bin/net wark"));
        assert_eq!(found, [Mapped { begin: 0x55d0_c010_0000, length: 0x20_0000 }]);
        assert_eq!(code(MAPS, Path::new("/usr/bin/netwark")), []);
    }

    #[test]
    fn the_program_runs_on() {
        let_go_of_code().unwrap();
        assert_eq!("on".repeat(2), "onon");
    }
}
