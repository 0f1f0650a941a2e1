//! Counting what was seen.

use netwark_store::Store;

use super::at;
use super::watch::{Site, mac};

/// A quarter of an hour, in seconds. The beginning of the tests is one, too.
const QUARTER: i64 = 900;

pub(crate) async fn who_was_there_is_counted_once(store: &Store) {
    let mut office = Site::new(store, "Office").await;
    let mut lab = Site::new(store, "Lab").await;
    let (printer, laptop) = (mac(1), mac(2));
    office.sweep(&[(printer, "192.0.2.1"), (laptop, "192.0.2.2")]).await;
    // The same printer on another network counts once; its first quarter there overlaps.
    lab.sweep(&[(printer, "192.0.2.1")]).await;
    while office.now < 3 * QUARTER {
        office.sweep(&[(printer, "192.0.2.1")]).await;
    }
    let all = store.count_presence(at(0), at(4 * QUARTER), None).await.unwrap();
    assert_eq!(all.changes, [(at(0), 2), (at(QUARTER), -1), (at(4 * QUARTER), -1)]);
    assert_eq!(all.watched.first(), Some(&(at(0), 420_000)));
    let lab = store.count_presence(at(0), at(4 * QUARTER), Some(lab.network)).await.unwrap();
    assert_eq!((lab.changes, lab.watched.len()), (vec![(at(0), 1), (at(4 * QUARTER), -1)], 1));
    // Who came before the range is there from its beginning.
    let later = store.count_presence(at(2 * QUARTER), at(3 * QUARTER), None).await.unwrap();
    assert_eq!(later.changes, [(at(2 * QUARTER), 1), (at(3 * QUARTER), -1)]);
    let before = store.count_presence(at(-QUARTER), at(0), None).await.unwrap();
    assert_eq!((before.changes, before.watched), (vec![], vec![]));
}
