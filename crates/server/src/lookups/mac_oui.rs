//! `/mac-oui`: to whom MAC addresses are assigned.

use axum::Json;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use netwark_lookup::oui::{Answer, Entry, Filter, Prefix, Registry, Table, find_all};
use netwark_model::error::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::{Problem, ProblemBody};
use crate::extract::{Body, Page, Params, known};

/// Most assignments that are listed without a page.
const MOST_ROWS: usize = 10_000;
/// Most questions of one request.
const MOST_ASKED: usize = 10_000;
/// Most names among them: each is looked for in all names there are.
const MOST_NAMES: usize = 100;
/// Most bytes of such a request.
const LARGEST_ASKED: usize = 1 << 20;

/// An assignment of IEEE.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = MacAssignment)]
pub struct Assignment {
    /// The assigned digits, in capitals.
    #[schema(example = "00000C")]
    pub assignment: String,
    /// The organisation.
    #[schema(example = "Cisco Systems, Inc")]
    pub orgname: String,
    /// Its address in one line; empty when it is not told.
    pub orgaddr: String,
    /// Where it is registered.
    pub registry: Registry,
}

impl From<Entry<'_>> for Assignment {
    fn from(entry: Entry<'_>) -> Self {
        Self {
            assignment: entry.assignment(),
            orgname: entry.name.into(),
            orgaddr: entry.address.into(),
            registry: entry.registry,
        }
    }
}

/// What is asked about many.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MacQuestions)]
pub struct AskedMany {
    /// Addresses and beginnings of addresses, at most 10,000; among them at most 100 names.
    #[serde(default)]
    #[schema(example = json!(["00:00:0c:12:34:56", "5254.0012.3456"]))]
    pub resources: Vec<String>,
    /// A text with MAC addresses in it, such as the output of `arp -a` or `ip neigh`; each of them is answered once.
    #[serde(default)]
    pub text: String,
}

/// An answer among many.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = MacVendorOrError)]
pub enum AnswerOrError {
    /// What is known.
    Answer(Box<Answer>),
    /// Why there is no answer.
    NotUnderstood {
        /// What was asked.
        query: String,
        /// What is wrong with it.
        error: String,
    },
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    let many = OpenApiRouter::new().routes(routes!(answer_many)).layer(DefaultBodyLimit::max(LARGEST_ASKED));
    OpenApiRouter::new().routes(routes!(list_assignments)).routes(routes!(get_vendor)).merge(many)
}

/// List assignments in the order of their digits, or with `q` the best fits first.
///
/// Without `page` and `per_page` all that fit are listed: at most 10,000, and only with a filter.
#[utoipa::path(
    get, path = "/mac-oui", operation_id = "list_mac_assignments", tag = "Look-ups",
    params(
        ("assignment" = Option<String>, Query, description = "Only assignments that begin with these digits, in any notation"),
        ("orgname" = Option<String>, Query, description = "Only organisations whose name begins so, letter case aside"),
        ("q" = Option<String>, Query, description = "Only organisations with these words in their name; the best fits come first"),
        ("registry" = Option<Registry>, Query, description = "Only of this registry"),
        ("page" = Option<u64>, Query, description = "From 1"),
        ("per_page" = Option<u64>, Query, description = "1 to 1000, default 50"),
    ),
    responses(
        (status = 200, description = "Assignments", body = Vec<Assignment>, headers(
            ("X-Total-Count" = u64, description = "How many fit"),
            ("Link" = String, description = "The pages around this one, RFC 8288; absent without a page"),
        )),
        (status = 400, description = "A parameter is wrong, there is neither a filter nor a page, or too many fit", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_assignments(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut params: Params,
) -> Result<impl IntoResponse, Problem> {
    let mut paged = false;
    let filter = Filter {
        assignment: params.read("assignment", |text| {
            let shown: String = text.chars().take(60).collect();
            Prefix::parse(text).ok_or_else(|| {
                format!("must be hexadecimal digits such as 00000C or 00:00:0c, got '{shown}'")
            })
        }),
        orgname: params.read("orgname", name),
        q: params.read("q", |text| {
            name(text).and_then(|text| match text.chars().any(char::is_alphanumeric) {
                true => Ok(text),
                false => Err("must have a letter or a digit".into()),
            })
        }),
        registry: params.read("registry", |text| {
            known(Registry::from_word(text), text, &Registry::ALL.map(Registry::as_str).join(", "))
        }),
    };
    for name in ["page", "per_page"] {
        paged |= params.has(name);
    }
    let page = params.page();
    params.finish()?;
    let vendors = app.lookups.oui.get();
    if !paged && filter.is_empty() {
        return Err(Problem::field(FieldError::query(
            "page",
            "is needed, or one of the filters assignment, orgname, q and registry: there are more than 10000 rows",
        )));
    }
    let fitting = vendors.list(&filter);
    let total = fitting.len();
    if !paged {
        if total > MOST_ROWS {
            return Err(Problem::field(FieldError::query(
                "page",
                format!("is needed: {total} rows fit, and without a page at most {MOST_ROWS} are listed"),
            )));
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-total-count", total.into());
        let rows: Vec<Assignment> = fitting.into_iter().map(Assignment::from).collect();
        return Ok((headers, Json(rows)));
    }
    let headers = page.headers(uri.path(), uri.query().unwrap_or_default(), total as u64);
    let rows = of_page(fitting, page);
    Ok((headers, Json(rows)))
}

fn of_page(fitting: Vec<Entry<'_>>, page: Page) -> Vec<Assignment> {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let rows = fitting.into_iter().skip(count(page.offset())).take(count(page.per_page));
    rows.map(Assignment::from).collect()
}

fn name(text: &str) -> Result<String, String> {
    match text.len() {
        0..=200 => Ok(text.to_owned()),
        length => Err(format!("must have at most 200 bytes, got {length}")),
    }
}

/// Say who has a MAC address, the beginning of one, or what an organisation of a name has.
///
/// `assignment`, `orgname` and `orgaddr` are absent when nobody is known. What has a `/` in it is written as `%2F`.
#[utoipa::path(
    get, path = "/mac-oui/{resource}", operation_id = "get_mac_vendor", tag = "Look-ups",
    params(("resource" = String, Path, description = "An address in any usual notation, the beginning of one with at least 6 digits, or the name of an organisation", example = "00:00:0c:12:34:56")),
    responses(
        (status = 200, description = "What is known", body = Answer),
        (status = 400, description = "It is neither an address nor a name", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_vendor(
    State(app): State<App>,
    Path(resource): Path<String>,
) -> Result<Json<Answer>, Problem> {
    let answer = app.lookups.oui.get().answer(&resource);
    answer.map(Json).map_err(|error| Problem::field(FieldError::path("resource", error.to_string())))
}

/// Answer for many at once, in the order they were asked. What is not understood has an `error`.
#[utoipa::path(
    post, path = "/mac-oui", operation_id = "get_mac_vendors", tag = "Look-ups",
    request_body = AskedMany,
    responses(
        (status = 200, description = "An answer for each", body = Vec<AnswerOrError>),
        (status = 400, description = "There are too many, or the body is wrong", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body has more than 1 MiB", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn answer_many(
    State(app): State<App>,
    Body(asked): Body<AskedMany>,
) -> Result<Json<Vec<AnswerOrError>>, Problem> {
    if asked.resources.len() > MOST_ASKED {
        let told = format!("must have at most {MOST_ASKED} entries, got {}", asked.resources.len());
        return Err(Problem::field(FieldError::body("resources", told)));
    }
    let vendors = app.lookups.oui.get();
    // Names take milliseconds each, which nobody else should wait for.
    let answers = tokio::task::spawn_blocking(move || answer_all(&vendors, &asked)).await;
    answers.map(Json).map_err(|error| Problem::internal(&error))
}

fn answer_all(vendors: &Table, asked: &AskedMany) -> Vec<AnswerOrError> {
    let mut names = 0;
    let mut answers = Vec::new();
    for resource in &asked.resources {
        // Also what turns out to be no name is looked for in all names there are.
        names += usize::from(Table::may_be_name(resource));
        let answer = match names > MOST_NAMES && Table::may_be_name(resource) {
            true => Err(format!("at most {MOST_NAMES} names are answered at once; ask again for the rest")),
            false => vendors.answer(resource).map_err(|error| error.to_string()),
        };
        answers.push(match answer {
            Ok(answer) => AnswerOrError::Answer(Box::new(answer)),
            Err(error) => AnswerOrError::NotUnderstood { query: resource.chars().take(60).collect(), error },
        });
    }
    let found = find_all(&asked.text, MOST_ASKED);
    answers.extend(found.into_iter().map(|mac| AnswerOrError::Answer(Box::new(vendors.answer_mac(mac)))));
    answers
}
