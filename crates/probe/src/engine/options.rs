//! How an engine is set up.

use std::time::Duration;

/// How an engine is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// Packets a second that leave the machine at most, over all tasks and the connections that keep to the
    /// [`crate::engine::Pacer`]; at least 1. What goes to loopback
    /// addresses is not counted. Default 50,000: about 40 Mbit/s of pings.
    pub rate: u32,
    /// Least time between two probes to the same address, over all tasks. Default 0.
    pub target_gap: Duration,
    /// Rate of sending, in packets a second, above which the kernel is not asked for send stamps, because each costs
    /// about a quarter of what sending and receiving cost. Round trips are then measured by the monotonic clock.
    /// 0 switches send stamps off. Default 500,000, which is more than one thread can send.
    pub stamps_up_to: u32,
    /// Bytes of receive buffer for each socket. Without CAP_NET_ADMIN the kernel gives no more than
    /// net.core.rmem_max. Default 16 MiB, which is about 20,000 answers.
    pub receive_buffer: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { rate: 50_000, target_gap: Duration::ZERO, stamps_up_to: 500_000, receive_buffer: 16 << 20 }
    }
}
