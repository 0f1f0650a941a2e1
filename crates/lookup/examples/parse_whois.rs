//! How long it takes to read recorded answers of registries: `cargo run --release --example parse_whois`. Prints JSON
//! for `benches/`.

#![expect(clippy::print_stdout, reason = "an example prints what it measures")]

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use netwark_lookup::whois::parse;

const ANSWERS: usize = 1000;
const ROUNDS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut answers = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/whois"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = fs::read_to_string(path)?;
            answers.extend(text.split_once("===\n").map(|(_, answer)| answer.to_owned()));
        }
    }
    let bytes: usize = answers.iter().cycle().take(ANSWERS).map(String::len).sum();
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for answer in answers.iter().cycle().take(ANSWERS) {
            black_box(parse(black_box(answer)));
        }
        rounds.push(began.elapsed());
    }
    rounds.sort();
    println!(
        "{{\"answers\":{ANSWERS},\"recorded\":{},\"bytes\":{bytes},\"best_ms\":{:.2},\"median_ms\":{:.2}}}",
        answers.len(),
        rounds[0].as_secs_f64() * 1000.0,
        rounds[ROUNDS / 2].as_secs_f64() * 1000.0
    );
    Ok(())
}
