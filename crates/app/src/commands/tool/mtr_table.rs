//! The live table of `mtr`: what it shows, and how that is drawn.

use netwark_model::tools::mtr::{Hop, HopRtt, MtrOutcome, Responder};
use netwark_model::tools::verdict::Severity;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table, Wrap};

/// What the table shows.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The target as it was given.
    pub target: String,
    /// How many cycles will be measured.
    pub cycles: u64,
    /// The latest snapshot.
    pub outcome: Option<MtrOutcome>,
    /// The display stands still while the measurement goes on.
    pub paused: bool,
    /// Addresses only.
    pub numeric: bool,
}

/// Draws it on the whole screen.
pub fn draw(frame: &mut Frame<'_>, state: &State) {
    let [head, table, verdict, keys] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Min(3),
        Constraint::Length(2),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(head_lines(state)), head);
    frame.render_widget(hops(state, usize::from(table.width)), table);
    frame.render_widget(Paragraph::new(verdict_line(state)).wrap(Wrap { trim: true }), verdict);
    frame.render_widget(Paragraph::new(key_line(state)), keys);
}

fn head_lines(state: &State) -> Vec<Line<'static>> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let mut first = vec![Span::styled("netwark mtr ", bold), Span::raw(state.target.clone())];
    let Some(outcome) = &state.outcome else {
        return vec![Line::from(first), Line::from("waiting for the first answer")];
    };
    let trace = &outcome.trace;
    let address = trace.address.to_string();
    if address != state.target {
        first.push(Span::raw(format!(" ({address})")));
    }
    if let Some(chosen) = &trace.chosen {
        first.push(Span::styled(format!("  {chosen}"), Style::new().add_modifier(Modifier::DIM)));
    }
    let reached = if trace.reached { "target answers" } else { "target has not answered" };
    vec![Line::from(first), Line::from(format!("cycle {} of {}, {reached}", trace.cycles, state.cycles))]
}

fn hops(state: &State, width: usize) -> Table<'static> {
    const NUMBERS: [&str; 8] = ["Loss%", "Snt", "Last", "Avg", "Best", "Wrst", "StDev", "Jitter"];
    let hops = || state.outcome.iter().flat_map(|outcome| &outcome.trace.hops);
    // The column is there once a file of autonomous systems has told one.
    let systems = hops().flat_map(|hop| &hop.responders).map(|one| system(one).len()).max().unwrap_or(0);
    let systems = u16::try_from(systems).ok().filter(|width| *width > 0);
    let names = ["", "AS", "Host"].into_iter().filter(|name| *name != "AS" || systems.is_some());
    let head = names.map(str::to_owned).chain(NUMBERS.iter().map(|name| format!("{name:>7}")));
    let rows = hops().flat_map(|hop| hop_rows(hop, state.numeric, systems.is_some()));
    let widths = [Some(Constraint::Length(3)), systems.map(Constraint::Length), Some(Constraint::Min(16))]
        .into_iter()
        .flatten()
        .chain(NUMBERS.iter().map(|_| Constraint::Length(7)));
    // A narrow screen keeps the host and loses columns from the right, which ratatui would squeeze otherwise.
    let before = 3 + 16 + 2 + systems.map_or(0, |width| usize::from(width) + 1);
    let fixed = if systems.is_some() { 3 } else { 2 };
    let columns = fixed + NUMBERS.len().min(width.saturating_sub(before) / 8);
    Table::new(rows.map(|cells| cells.into_row(columns)), widths.take(columns))
        .header(
            Row::new(head.take(columns))
                .style(Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED)),
        )
        .column_spacing(1)
}

/// The cells of a line and how it is painted.
struct Cells {
    texts: Vec<String>,
    style: Style,
}

impl Cells {
    fn into_row(self, columns: usize) -> Row<'static> {
        Row::new(self.texts.into_iter().take(columns)).style(self.style)
    }
}

/// A hop, its further responders, and the labels they quote.
fn hop_rows(hop: &Hop, numeric: bool, systems: bool) -> Vec<Cells> {
    let first = hop.responders.first();
    let mut texts = vec![format!("{:>2}.", hop.ttl)];
    if systems {
        texts.push(first.map(system).unwrap_or_default());
    }
    texts.push(first.map_or_else(|| "???".into(), |r| host(r, numeric)));
    let loss = if hop.sent == 0 { String::new() } else { format!("{:.1}%", hop.loss) };
    texts.extend([format!("{loss:>7}"), format!("{:>7}", hop.sent)]);
    texts.extend(hop.rtt.iter().flat_map(round_trips));
    let style = match hop.loss {
        _ if hop.responders.is_empty() => Style::new().add_modifier(Modifier::DIM),
        loss if loss >= 10.0 => Style::new().fg(Color::Red),
        loss if loss > 0.0 => Style::new().fg(Color::Yellow),
        _ => Style::new(),
    };
    let mut rows = vec![Cells { texts, style }];
    rows.extend(first.map(|one| labels(one, systems)).unwrap_or_default());
    for other in hop.responders.iter().skip(1) {
        let mut texts = vec![String::new()];
        if systems {
            texts.push(system(other));
        }
        texts.push(format!("  {}", host(other, numeric)));
        texts.extend([String::new(), format!("{:>7}", other.received)]);
        texts.extend(round_trips(&other.rtt));
        rows.push(Cells { texts, style: Style::new().add_modifier(Modifier::DIM) });
        rows.extend(labels(other, systems));
    }
    rows
}

/// Its autonomous system, as far as a file knew.
fn system(responder: &Responder) -> String {
    responder.asn.map(|number| format!("AS{number}")).unwrap_or_default()
}

fn host(responder: &Responder, numeric: bool) -> String {
    match &responder.name {
        Some(name) if !numeric => format!("{name} ({})", responder.address),
        _ => responder.address.to_string(),
    }
}

fn round_trips(rtt: &HopRtt) -> [String; 6] {
    [rtt.last, rtt.average, rtt.best, rtt.worst, rtt.stddev, rtt.jitter].map(|ms| match ms {
        ms if ms < 100.0 => format!("{ms:>7.2}"),
        ms => format!("{ms:>7.1}"),
    })
}

fn labels(responder: &Responder, systems: bool) -> Vec<Cells> {
    let text =
        |l: &netwark_model::tools::mtr::Label| format!("  [MPLS {} TC {} TTL {}]", l.label, l.tc, l.ttl);
    let cells = |text| {
        let mut texts = vec![String::new(); if systems { 2 } else { 1 }];
        texts.push(text);
        Cells { texts, style: Style::new().add_modifier(Modifier::DIM) }
    };
    responder.labels.iter().map(text).map(cells).collect()
}

fn verdict_line(state: &State) -> Line<'static> {
    let Some(outcome) = &state.outcome else { return Line::default() };
    let verdict = &outcome.trace.verdict;
    let color = match verdict.severity {
        Severity::Ok => Color::Green,
        Severity::Info => Color::Cyan,
        Severity::Warning => Color::Yellow,
        Severity::Alert => Color::Red,
    };
    Line::styled(super::finish::verdict(verdict), Style::new().fg(color))
}

fn key_line(state: &State) -> Line<'static> {
    let key = |key: &'static str| Span::styled(key, Style::new().add_modifier(Modifier::BOLD));
    Line::from(vec![
        key("q"),
        Span::raw(" quit  "),
        key("p"),
        Span::raw(if state.paused { " go on (the display stands still)  " } else { " pause the display  " }),
        key("n"),
        Span::raw(if state.numeric { " names" } else { " addresses only" }),
    ])
}
