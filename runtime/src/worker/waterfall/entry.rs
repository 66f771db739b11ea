//! What is shown of one span: its label, how long it took, its colour, its error.

use super::drawing::count;
use super::span::ShownSpan;
use super::text::{Colour, Duration, Piece};
use super::tree::Row;

/// What is shown of one span.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) span: &'a ShownSpan,
    pub(super) label: Vec<Piece>,
    pub(super) duration: Piece,
    pub(super) bar_colour: Colour,
    /// The line below it, where the span failed with a message that its parent does not show already.
    pub(super) message: Option<Vec<Piece>>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(
        spans: &'a [ShownSpan],
        row: &Row,
        services: &mut Services<'a>,
        max_levels: usize,
    ) -> Self {
        let span = &spans[row.index];
        let parent = row.parent.map(|parent| &spans[parent]);
        let outer_service = parent.map_or(services.first(), |parent| Some(parent.service.as_str()));
        let service_colour = Colour::Service(services.place(&span.service));
        let hidden_levels = row.guides.len().saturating_sub(max_levels);
        let guides = &row.guides[hidden_levels..];
        let cut = if hidden_levels > 0 { "…" } else { "" };

        let mut label = vec![Piece::new(Colour::Dim, &format!("{cut}{}", branch(guides)))];
        if parent.is_none() && span.parent_id != 0 {
            label.push(Piece::new(Colour::Dim, "↳ "));
        }
        if span.error.is_some() {
            label.push(Piece::new(Colour::Failed, "✗ "));
        }
        if outer_service.is_some_and(|outer| outer != span.service) {
            label.push(Piece::new(service_colour, &format!("[{}] ", span.service)));
        }
        label.push(Piece::new(Colour::Plain, &span.name));
        if span.resource != span.name && !span.resource.is_empty() {
            label.push(Piece::new(Colour::Dim, &format!(" {}", span.resource)));
        }
        let counts = [(span.links, "link"), (span.events, "event")];
        for (number, thing) in counts.into_iter().filter(|(number, _)| *number > 0) {
            label.push(Piece::new(Colour::Dim, &format!(" +{}", count(number, thing))));
        }

        let is_news = parent.is_none_or(|parent| parent.error != span.error);
        let message = span.error.as_deref().filter(|message| is_news && !message.is_empty()).map(|message| {
            let below = if row.has_children { "│ " } else { "  " };
            let guides =
                format!("{cut}{}{below}", guides.iter().map(|more| trunk(*more)).collect::<String>());
            vec![Piece::new(Colour::Dim, &guides), Piece::new(Colour::Failed, message)]
        });
        Self {
            span,
            label,
            duration: Piece::new(Colour::Plain, &Duration(span.duration_ns).to_string()),
            bar_colour: if span.error.is_some() { Colour::Failed } else { service_colour },
            message,
        }
    }
}

/// The services of a trace, in the order in which they appear.
#[derive(Debug, Default)]
pub(super) struct Services<'a>(Vec<&'a str>);

impl<'a> Services<'a> {
    fn first(&self) -> Option<&'a str> {
        self.0.first().copied()
    }

    pub(super) fn place(&mut self, service: &'a str) -> usize {
        self.0.iter().position(|other| *other == service).unwrap_or_else(|| {
            self.0.push(service);
            self.0.len() - 1
        })
    }
}

/// The lines of the tree that lead to a span.
fn branch(guides: &[bool]) -> String {
    let Some((own, outer)) = guides.split_last() else { return String::new() };
    let own = if *own { "├─ " } else { "└─ " };
    outer.iter().map(|more| trunk(*more)).chain([own]).collect()
}

fn trunk(has_more: bool) -> &'static str {
    if has_more { "│  " } else { "   " }
}
