//! From a probe to a packet in the batch of its socket.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use netwark_packet::ip::Family;
use netwark_packet::protocol;

use super::ports::{self, Port};
use super::state::State;
use super::traffic;
use super::wire::{self, Ends};
use super::work::SOURCE_LIFETIME;
use crate::decide::{Event, Probe, Transport};
use crate::net::control;
use crate::net::filter::BLOCK;
use crate::net::socket::{self, Key, Kind};

/// Why nothing more may be sent in this turn.
pub(super) enum Stop {
    /// The kernel's queue is full, and so is the batch that waits for it.
    Blocked,
}

impl State {
    /// Turns a probe into a packet in its socket's batch.
    pub(super) fn prepare(&mut self, index: u32, probe: Probe, now: u64) -> Result<(), Stop> {
        let port = match self.port_for(index, probe) {
            Ok(port) => port,
            Err(reason) => {
                self.unsent(index, probe.key, reason, now);
                return Ok(());
            }
        };
        if self.ports.get(port).is_some_and(|port| port.batch.is_full()) {
            self.flush(port, now);
            if self.ports.get(port).is_some_and(|port| port.batch.is_full()) {
                self.put_back(index, probe);
                if let Some(work) = self.work(index).filter(|work| !work.in_line) {
                    work.in_line = true;
                    self.line.push_back(index);
                }
                return Err(Stop::Blocked);
            }
        }
        if let Err(error) = self.write(index, port, probe, now) {
            let reason = match self.ports.get(port) {
                Some(port) => ports::unsent(&port.key, probe.to, &error),
                None => error.to_string(),
            };
            self.unsent(index, probe.key, reason, now);
        }
        Ok(())
    }

    pub(super) fn unsent(&mut self, index: u32, key: u64, reason: String, now: u64) {
        self.counters.send_errors += 1;
        self.deliver(index, now, Event::Unsent { key, reason });
    }

    /// The socket a probe goes through.
    fn port_for(&mut self, index: u32, probe: Probe) -> Result<usize, String> {
        let family = Family::of(probe.to);
        let Some(work) = self.works.get_mut(index as usize).and_then(Option::as_mut) else {
            return Err("the task has ended".into());
        };
        let flow = match work.shape.transport {
            Transport::Udp { .. } => probe.flow,
            Transport::Icmp | Transport::Tcp { .. } => 0,
        };
        let known = work.ports.iter().find(|(of, through, _)| (*of, *through) == (family, flow));
        if let Some((_, _, port)) = known {
            return Ok(*port);
        }
        let raw = self.capabilities.raw(family).available;
        let kind = match work.shape.transport {
            Transport::Icmp if raw => Kind::RawIcmp,
            Transport::Icmp if self.capabilities.datagram(family).available => Kind::IcmpDatagram,
            Transport::Icmp => {
                return Err(self.capabilities.why_no_icmp(family == Family::V6).unwrap_or_default());
            }
            Transport::Udp { .. } => Kind::Udp { flow },
            Transport::Tcp { .. } if raw => Kind::RawTcp,
            Transport::Tcp { .. } => {
                return Err(self.capabilities.tcp_syn.reason.clone().unwrap_or_else(|| "no raw TCP".into()));
            }
        };
        let key = Key {
            family,
            kind,
            source: work.shape.source,
            interface: work.shape.interface.clone(),
            dont_fragment: work.shape.dont_fragment,
        };
        let port = self.ports.acquire(&key, raw).map_err(|error| ports::refusal(&key, &error))?;
        work.ports.push((family, flow, port));
        Ok(port)
    }

    /// Writes a probe's packet into the batch of its socket.
    fn write(&mut self, index: u32, through: usize, probe: Probe, now: u64) -> io::Result<()> {
        let Self { works, ports, flight, stamp_budget, .. } = self;
        let (icmp_ids, tcp_ports) = (ports.icmp_ids(), ports.tcp_ports());
        let (Some(work), Some(port)) =
            (works.get_mut(index as usize).and_then(Option::as_mut), ports.get_mut(through))
        else {
            return Ok(());
        };
        let family = port.key.family;
        let stamp = stamp_budget.stamp(now);
        let control = control::Outgoing::new(family, Some(probe.ttl), work.shape.dscp << 2, stamp);
        let flow_port = u16::from(probe.flow) % BLOCK;
        let (handle, written) = match work.shape.transport {
            Transport::Icmp => {
                let id = if port.key.kind == Kind::RawIcmp { icmp_ids + flow_port } else { port.number };
                let own = match family {
                    Family::V4 => protocol::ICMP,
                    Family::V6 => protocol::ICMPV6,
                };
                let handle = flight.insert(index, probe.key, probe.to, own);
                let sequence = flight.identity(handle);
                let written = port.batch.push(SocketAddr::new(probe.to, 0), control, |out| {
                    work.recipe.echo(family, id, probe.flow, sequence, handle, out);
                });
                (handle, written)
            }
            Transport::Udp { port: destination_port } => {
                let source = source(&mut work.sources, port, probe.to, now)?;
                let source_port = port.number;
                let ends = Ends { source, destination: probe.to, source_port, destination_port };
                let handle = flight.insert(index, probe.key, probe.to, protocol::UDP);
                let identity = flight.identity(handle);
                // The error queue tells nothing of our packet but its payload.
                let least = if port.errors { wire::FILLED } else { 2 };
                let to = SocketAddr::new(probe.to, destination_port);
                let written = port.batch.push(to, control, |out| {
                    work.recipe.datagram(&ends, least, identity, handle, out);
                });
                (handle, written)
            }
            Transport::Tcp { port: destination_port } => {
                let source = source(&mut work.sources, port, probe.to, now)?;
                let source_port = tcp_ports + flow_port;
                let ends = Ends { source, destination: probe.to, source_port, destination_port };
                let handle = flight.insert(index, probe.key, probe.to, protocol::TCP);
                let sequence = wire::tcp_sequence(flight.identity(handle), handle);
                let to = SocketAddr::new(probe.to, 0);
                let written = port.batch.push(to, control, |out| wire::syn(&ends, sequence, out));
                (handle, written)
            }
        };
        if let Some(queued) = flight.get_mut(handle) {
            queued.length = traffic::sent((family, port.key.kind), written);
        }
        port.pending.push_back((handle, stamp));
        Ok(())
    }
}

/// The address the kernel sends from: needed for checksums that cover it.
fn source(
    known: &mut HashMap<IpAddr, (IpAddr, u64)>,
    port: &Port,
    to: IpAddr,
    now: u64,
) -> io::Result<IpAddr> {
    if let Some(source) = port.key.source {
        return Ok(source);
    }
    if let Some((source, since)) = known.get(&to)
        && since + SOURCE_LIFETIME > now
    {
        return Ok(*source);
    }
    let source = socket::source_for(&port.key, to)?;
    known.insert(to, (source, now));
    Ok(source)
}
