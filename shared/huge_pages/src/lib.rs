//! Memory in pages of 2 MiB, where Linux gives them. Whoever reads all over some megabytes waits in part for the processor to find
//! out where their pages of 4 KiB lie, and before that for the system to give them one by one.

#[cfg(target_os = "linux")]
use rustix::{
    mm::{Advice, madvise},
    thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled},
};

/// Of x86-64, and of arm64 with its common pages of 4 KiB.
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 << 20;

/// `vec![element; count]`, all of it touched, in transparent huge pages as far as whole ones fit in (madvise(2), `MADV_HUGEPAGE`).
/// Where there are none to be had it lies in common pages.
pub fn filled<T: Clone>(element: T, count: usize) -> Vec<T> {
    let mut vec = Vec::with_capacity(count);
    #[cfg(target_os = "linux")]
    let _allowed = Allowed::for_now();
    advise(vec.spare_capacity_mut());
    vec.resize(count, element);
    vec
}

/// While it lives the process may be given huge pages. An allocator that does without them has had them switched off for all of it
/// (prctl(2), `PR_SET_THP_DISABLE`); they are switched off again, since a system that gives them to all who do not refuse would give
/// them to its heap, as it may to what the heap is given meanwhile. Who fills at the same time may be left with common pages.
#[cfg(target_os = "linux")]
struct Allowed {
    switched: bool,
}

#[cfg(target_os = "linux")]
impl Allowed {
    fn for_now() -> Self {
        let refused = transparent_huge_pages_are_disabled().unwrap_or(false);
        Self { switched: refused && disable_transparent_huge_pages(false).is_ok() }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Allowed {
    fn drop(&mut self) {
        if self.switched {
            // What could be switched on can be switched off.
            let _ = disable_transparent_huge_pages(true);
        }
    }
}

/// Asks for huge pages wherever a whole one lies in this memory.
#[cfg(target_os = "linux")]
fn advise<T>(memory: &mut [T]) {
    let start = memory.as_mut_ptr().cast::<u8>();
    let before = start.align_offset(HUGE_PAGE);
    let whole = size_of_val(memory).saturating_sub(before) / HUGE_PAGE * HUGE_PAGE;
    if whole > 0 {
        // A kernel without huge pages refuses, and the memory is as it was.
        #[expect(unsafe_code, reason = "no well kept library gives this advice by a safe function")]
        // SAFETY: the range lies in the memory that is borrowed here, and the advice changes nothing that can be read in it.
        let _ = unsafe { madvise(start.wrapping_add(before).cast(), whole, Advice::LinuxHugepage) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise<T>(_: &mut [T]) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    /// An element that asks, whenever it is copied, whether the process is refused huge pages.
    #[derive(Debug, PartialEq)]
    struct Asking(bool);

    impl Clone for Asking {
        fn clone(&self) -> Self {
            Self(transparent_huge_pages_are_disabled().unwrap())
        }
    }

    /// One test, since what a process refuses it refuses for all its threads. The kernel says what was asked of it
    /// (proc_pid_smaps(5): `hg`, huge page advise flag).
    #[test]
    fn large_memory_is_advised_and_filled_and_the_process_keeps_its_own_choice() {
        for refused in [true, false] {
            disable_transparent_huge_pages(refused).unwrap();
            let memory = filled(7_u8, 4 * HUGE_PAGE + 1);
            assert_eq!(memory, vec![7; 4 * HUGE_PAGE + 1]);
            if fs::exists("/sys/kernel/mm/transparent_hugepage").unwrap() {
                let inside = memory.as_ptr() as usize + 2 * HUGE_PAGE;
                assert!(flags(&fs::read_to_string("/proc/self/smaps").unwrap(), inside).contains(&"hg"));
            }
            assert_eq!(filled(Asking(false), 3), [Asking(false), Asking(false), Asking(false)]);
            assert_eq!(transparent_huge_pages_are_disabled().unwrap(), refused);
        }
        for count in [0, 1, 1000] {
            assert_eq!(filled('x', count), vec!['x'; count]);
        }
    }

    /// The flags of the mapping around an address.
    fn flags(smaps: &str, address: usize) -> Vec<&str> {
        let holds = |line: &str| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let ends = range.map(|(start, end)| [start, end].map(|end| usize::from_str_radix(end, 16)));
            matches!(ends, Some([Ok(start), Ok(end)]) if (start..end).contains(&address))
        };
        let mut lines = smaps.lines().skip_while(|line| !holds(line));
        lines.find_map(|line| line.strip_prefix("VmFlags:")).unwrap().split_whitespace().collect()
    }
}
