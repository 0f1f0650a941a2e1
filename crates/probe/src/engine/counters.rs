//! What the engine has counted since it started.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

macro_rules! counters {
    ($($(#[$text:meta])* $name:ident),* $(,)?) => {
        /// What an engine has counted since it started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Counters {
            $($(#[$text])* pub $name: u64,)*
        }

        /// The same for readers on other threads.
        #[derive(Debug, Default)]
        pub(super) struct Shared {
            $($name: AtomicU64,)*
        }

        impl Shared {
            pub(super) fn publish(&self, counters: &Counters) {
                $(self.$name.store(counters.$name, Ordering::Relaxed);)*
            }

            pub(super) fn read(&self) -> Counters {
                Counters { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Packets sent.
    sent,
    /// Answers that were matched to a probe, duplicates included.
    received,
    /// Answers beyond the first to the same probe.
    duplicates,
    /// Packets that passed the kernel's filter but are no answer to a probe in flight.
    dropped_foreign,
    /// Echo replies to our ids whose token names no probe in flight: forged, corrupted, or later than their linger time.
    bad_token,
    /// Packets too malformed to be read.
    malformed,
    /// Probes the kernel refused to send.
    send_errors,
    /// Answers the kernel dropped because a receive buffer was full.
    kernel_drops,
    /// Times that sending had to wait for the rate cap, a target's gap or a full queue of the kernel.
    delayed,
    /// Answers measured by the monotonic clock although the probe was to be stamped.
    unstamped,
}
