//! `[[queues]]`: named addresses for work besides the built-in two.

use netwark_model::queues::{self, QueueDefinition};
use serde_json::Value;

use super::layers::{Key, Layers};

/// `[[queues]]`.
pub const QUEUES: Key = Key {
    name: "queues",
    takes: "tables with name, label, location and broadcast",
    default: "none",
    about: "Named addresses for work besides `netwark` and `netwark.broadcast`. Each has a `name` (the prefix `netwark.` is added when left out; no two differ in letter case alone, and words of selectors such as `all` are no names), and if wanted a `label` and a `location` for people, and `broadcast = true` when every member gets a copy of the work. Only in the file.",
};

pub(super) fn read(layers: &mut Layers) -> Vec<QueueDefinition> {
    let Some((value, origin)) = layers.raw(&QUEUES) else { return Vec::new() };
    let mut mistake = |text: String| layers.mistake(QUEUES.name, origin.clone(), text);
    let Value::Array(items) = value else {
        mistake(format!("it takes {}: write [[queues]]", QUEUES.takes));
        return Vec::new();
    };
    let mut declared: Vec<QueueDefinition> = Vec::new();
    for (number, item) in items.into_iter().enumerate() {
        match definition(item) {
            Err(wrong) => mistake(format!("number {}: {wrong}", number + 1)),
            Ok(queue)
                if declared
                    .iter()
                    .chain(&queues::builtin())
                    .any(|other| other.name.eq_ignore_ascii_case(&queue.name)) =>
            {
                mistake(format!("number {}: '{}' exists already", number + 1, queue.name));
            }
            Ok(queue) => declared.push(queue),
        }
    }
    declared
}

fn definition(value: Value) -> Result<QueueDefinition, String> {
    let mut queue: QueueDefinition = serde_json::from_value(value).map_err(|e| e.to_string())?;
    queue.name = queues::new_name(&queue.name)?;
    Ok(queue)
}
