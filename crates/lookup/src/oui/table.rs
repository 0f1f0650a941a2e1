//! Assignments in memory, found by the longest match.

use std::sync::OnceLock;

use jiff::civil::Date;
use netwark_model::mac::Mac;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Registry;

/// Where a table is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// The day its data is of.
    #[schema(value_type = Option<String>, format = Date)]
    pub date: Option<Date>,
    /// Where it was taken from.
    pub origin: String,
}

/// An assigned block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// Its first address.
    pub(super) start: u64,
    pub(super) registry: Registry,
    pub(super) organisation: u32,
}

/// One assignment of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where it is registered, and with that how many bits it has.
    pub registry: Registry,
    /// The first address of its block.
    pub first: Mac,
    /// The organisation as it wrote itself.
    pub name: &'a str,
    /// Its address in one line, empty when it is not told.
    pub address: &'a str,
    /// A number of the organisation within this table.
    pub organisation: u32,
}

impl Entry<'_> {
    /// The assigned digits, in capitals: `00000C`, `70B3D5F2F`.
    pub fn assignment(&self) -> String {
        let digits = self.registry.digits();
        format!("{:0digits$X}", self.first.bits() >> (48 - self.registry.bits()))
    }
}

/// No block is around this one.
const NONE: u32 = u32::MAX;
/// The first bits that lead to the blocks that begin with them; each assignment has more.
const INDEXED: u32 = 16;

/// All assignments. Blocks of 24 bits that are divided further are in it beside their parts.
#[derive(Debug)]
pub struct Table {
    about: About,
    /// First addresses, sorted; a block stands before those within it.
    starts: Box<[u64]>,
    blocks: Box<[Block]>,
    /// The block around each.
    around: Box<[u32]>,
    /// For each value of the first bits, where blocks that begin with them begin; one more at the end.
    index: Box<[u32]>,
    text: Box<str>,
    /// Where each name begins in the text, then each address, then the end.
    lines: Box<[u32]>,
    pub(super) folded: OnceLock<super::search::Folded>,
}

impl Table {
    /// Puts a table together; none when the text has not two lines for each organisation.
    pub(super) fn build(
        about: About,
        mut blocks: Vec<Block>,
        text: &str,
        organisations: usize,
    ) -> Option<Self> {
        blocks.sort_by_key(|block| (block.start, block.registry.bits()));
        let starts: Box<[u64]> = blocks.iter().map(|block| block.start).collect();
        let mut around = Vec::with_capacity(blocks.len());
        let mut open: Vec<(u32, Block)> = Vec::new();
        for (at, block) in (0..).zip(&blocks) {
            let encloses =
                |outer: &Block| outer.registry.bits() < block.registry.bits() && contains(outer, block.start);
            while open.last().is_some_and(|(_, outer)| !encloses(outer)) {
                open.pop();
            }
            around.push(open.last().map_or(NONE, |(outer, _)| *outer));
            open.push((at, *block));
        }
        let index = (0..=1_u64 << INDEXED)
            .map(|first| starts.partition_point(|start| *start < first << (48 - INDEXED)) as u32)
            .collect();
        let mut lines = vec![0_u32];
        lines.extend((1..).zip(text.bytes()).filter_map(|(after, byte)| (byte == b'\n').then_some(after)));
        let whole = lines.len() == organisations * 2 + 1 && text.len() == *lines.last()? as usize;
        whole.then(|| Self {
            about,
            starts,
            blocks: blocks.into(),
            around: around.into(),
            index,
            text: text.into(),
            lines: lines.into(),
            folded: OnceLock::new(),
        })
    }

    /// Where it is from.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// How many assignments it has.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// True when it has none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// How many organisations it has; one that wrote itself or its address in several ways counts as several.
    pub(super) fn organisations(&self) -> usize {
        self.lines.len() / 2
    }

    fn line(&self, line: usize) -> &str {
        let place = |line: usize| self.lines.get(line).map_or(0, |at| *at as usize);
        self.text.get(place(line)..place(line + 1).saturating_sub(1)).unwrap_or_default()
    }

    pub(super) fn name(&self, organisation: u32) -> &str {
        self.line(organisation as usize)
    }

    pub(super) fn at(&self, at: usize) -> Option<Entry<'_>> {
        let block = self.blocks.get(at)?;
        Some(Entry {
            registry: block.registry,
            first: Mac::from_bits(block.start),
            name: self.name(block.organisation),
            address: self.line(self.organisations() + block.organisation as usize),
            organisation: block.organisation,
        })
    }

    /// The smallest block that an address is in. A few have been assigned twice; this is the first of them.
    pub fn find(&self, mac: Mac) -> Option<Entry<'_>> {
        self.at(self.position(mac)?)
    }

    /// Everybody to whom the smallest block of an address was assigned: one, or several for blocks from before there
    /// was much order.
    pub fn find_all(&self, mac: Mac) -> impl Iterator<Item = Entry<'_>> {
        let first = self.position(mac);
        let same = first.and_then(|at| self.blocks.get(at)).copied();
        (first.unwrap_or(usize::MAX)..self.blocks.len()).map_while(move |at| {
            let (block, same) = (self.blocks.get(at)?, same?);
            let is_same = block.start == same.start && block.registry.bits() == same.registry.bits();
            if is_same { self.at(at) } else { None }
        })
    }

    fn position(&self, mac: Mac) -> Option<usize> {
        let bits = mac.bits();
        let slot = (bits >> (48 - INDEXED)) as usize;
        let (from, to) = (*self.index.get(slot)? as usize, *self.index.get(slot + 1)? as usize);
        let behind = from + self.starts.get(from..to)?.partition_point(|start| *start <= bits);
        let mut at = behind.checked_sub(1).filter(|at| *at >= from)?;
        while !contains(self.blocks.get(at)?, bits) {
            at = self.around.get(at).copied().filter(|outer| *outer != NONE)? as usize;
        }
        // Of those assigned twice the search finds the last.
        let found = *self.blocks.get(at)?;
        let is_same = |at: &usize| {
            self.blocks.get(*at).is_some_and(|block| {
                block.start == found.start && block.registry.bits() == found.registry.bits()
            })
        };
        while let Some(before) = at.checked_sub(1).filter(is_same) {
            at = before;
        }
        Some(at)
    }

    /// Every assignment, by its first address; larger blocks before the smaller ones that begin with the same.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.blocks.len()).filter_map(|at| self.at(at))
    }

    /// The assignments that begin with these digits of an address, and have all of them.
    pub(super) fn beginning(&self, start: u64, digits: usize) -> impl Iterator<Item = Entry<'_>> {
        let size = 1_u64 << (48 - 4 * digits.min(12));
        let from = self.starts.partition_point(|first| *first < start);
        let to = self.starts.partition_point(|first| *first < start.saturating_add(size));
        (from..to).filter_map(|at| self.at(at)).filter(move |entry| entry.registry.digits() >= digits)
    }
}

fn contains(block: &Block, bits: u64) -> bool {
    bits >> (48 - block.registry.bits()) == block.start >> (48 - block.registry.bits())
}
