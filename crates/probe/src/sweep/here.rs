//! Where this machine stands: the links on which it could watch a network.

use std::fs;
use std::io;
use std::path::Path;

use netwark_model::watch::report::LinkFacts;

use super::surroundings::Surroundings;

/// Where the kernel shows what interfaces are made of.
const INTERFACES: &str = "/sys/class/net";

/// The links of this machine on which hosts can be asked for and that lead out of it. Bridges between containers or
/// virtual machines of this very machine are left out.
///
/// # Errors
/// What the kernel says.
pub fn links() -> io::Result<Vec<LinkFacts>> {
    let here = Surroundings::look()?;
    let out = here
        .links()
        .filter(|link| !link.addresses.is_empty() && leads_out(Path::new(INTERFACES), &link.name));
    Ok(out.map(|link| here.facts(link)).collect())
}

/// False for a bridge none of whose ports leads out. What the kernel does not show is taken for a link that does: it may
/// show those of another network namespace.
fn leads_out(interfaces: &Path, name: &str) -> bool {
    // A name with a slash would lead elsewhere; the kernel gives none.
    if name.contains('/') || !interfaces.join(name).join("bridge").exists() {
        return true;
    }
    let Ok(ports) = fs::read_dir(interfaces.join(name).join("brif")) else { return true };
    ports.flatten().any(|port| {
        let port = interfaces.join(port.file_name());
        // A device, or a bond or VLAN above one; the ends of containers and machines have neither.
        port.join("device").exists()
            || fs::read_dir(&port).is_ok_and(|entries| {
                entries.flatten().any(|entry| entry.file_name().as_encoded_bytes().starts_with(b"lower_"))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_leads_out_where_one_of_its_ports_does() {
        let root = tempfile::tempdir().unwrap();
        let make = |path: &str| fs::create_dir_all(root.path().join(path)).unwrap();
        for path in ["eth0/device", "veth1", "bond0/lower_eth1", "docker0/bridge", "docker0/brif/veth1"] {
            make(path);
        }
        for path in ["br0/bridge", "br0/brif/veth1", "br0/brif/eth0", "br1/bridge", "br1/brif/bond0"] {
            make(path);
        }
        let leads = |name: &str| leads_out(root.path(), name);
        assert!(leads("eth0") && leads("veth1") && leads("br0") && leads("br1") && leads("not there"));
        assert!(!leads("docker0"));
    }

    #[test]
    fn links_are_told_with_their_addresses() {
        for link in links().unwrap() {
            assert!(link.mac.is_some() && !link.addresses.is_empty(), "{link:?}");
        }
    }
}
