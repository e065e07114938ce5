#include "manifest/yaml.h"
#include <errno.h>
#include <stdlib.h>
#include <yaml.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/diags.h"

/* A collection that is being read. A mapping alternates between key and value. */
struct frame {
	struct node *node;
	struct node **items; /* of a mapping: key, value, key, value... */
	size_t count;
	bool keyed; /* the path holds the key of the value that comes next */
};

struct anchor {
	const char *name;
	struct node *node;
};

struct reader {
	struct manifest *m;
	struct arena *arena;
	yaml_parser_t parser;
	struct frame frames[YAML_DEPTH_MAX];
	unsigned depth;
	struct path path;
	struct anchor *anchors;
	size_t anchor_count, alias_count, node_count;
	struct yaml_document *documents;
	size_t document_count;
	struct yaml_document *current; /* the one that is open */
};

static unsigned mark_line(const yaml_mark_t *mark)
{
	return (unsigned)mark->line + 1;
}
static unsigned mark_column(const yaml_mark_t *mark)
{
	return (unsigned)mark->column + 1;
}

/* The whole file is of no use. */
#define spoil(r, mark, hint, ...)                                                                                          \
	({                                                                                                                 \
		diags_add_at((r)->m, SEVERITY_ERROR, mark_line(mark), mark_column(mark), &(r)->path, (hint), __VA_ARGS__); \
		-EBADMSG;                                                                                                  \
	})

/* Only this document is. */
static void _printf_(4, 5) condemn(struct reader *r, const struct node *where, const char *hint, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diags_add(r->m, SEVERITY_ERROR, where, &r->path, hint, "%s", text);
	r->current->bad = true;
}

static struct frame *top(struct reader *r)
{
	return r->depth ? &r->frames[r->depth - 1] : NULL;
}

static int node_make(struct reader *r, const yaml_event_t *e, enum node_type type, struct node **ret)
{
	if (++r->node_count > YAML_NODES_MAX)
		return spoil(r, &e->start_mark, "split it into several files", "Too many: a file may hold %d nodes",
		             YAML_NODES_MAX);
	struct node *n = arena_alloc(r->arena, sizeof(*n));
	n->type = type;
	n->line = mark_line(&e->start_mark);
	n->column = mark_column(&e->start_mark);
	n->weight = 1;
	*ret = n;
	return 0;
}

static void anchor_set(struct reader *r, const yaml_char_t *name, struct node *n)
{
	if (name)
		*xgrow(r->anchors, r->anchor_count) = (struct anchor){ arena_strdup(r->arena, (const char *)name), n };
}

static struct node *anchor_find(const struct reader *r, const char *name)
{
	for (size_t i = r->anchor_count; i-- > 0;) /* the latest definition counts */
		if (streq(r->anchors[i].name, name))
			return r->anchors[i].node;
	return NULL;
}

static bool is_key(const struct frame *f)
{
	return f && f->node->type == NODE_MAPPING && f->count % 2 == 0;
}

/* A node is complete (or a collection begins): it becomes a child of the innermost open collection, or the root. */
static void attach(struct reader *r, struct node *n)
{
	struct frame *f = top(r);

	if (!f) {
		r->current->root = n;
		return;
	}
	*xgrow(f->items, f->count) = n;
}

/* Keeps the path of what comes next, for messages. */
static void path_enter(struct reader *r)
{
	struct frame *f = top(r);

	if (!f || f->keyed)
		return;
	if (f->node->type == NODE_SEQUENCE)
		path_index(&r->path, f->count);
	else if (f->count % 2)
		path_key(&r->path, f->items[f->count - 1]->text);
	else
		return;
	f->keyed = true;
}

static void path_leave(struct reader *r)
{
	struct frame *f = top(r);

	if (f && f->keyed) {
		path_pop(&r->path);
		f->keyed = false;
	}
}

static const struct {
	const char *tag;
	enum node_style style;
} core_tags[] = {
	{ YAML_STR_TAG, NODE_STRING },    { YAML_INT_TAG, NODE_TAG_INT },   { YAML_FLOAT_TAG, NODE_TAG_FLOAT },
	{ YAML_BOOL_TAG, NODE_TAG_BOOL }, { YAML_NULL_TAG, NODE_TAG_NULL }, { "!", NODE_STRING },
};

/* The tag, like the name of an alias, is not shown: it may be a password that was not quoted. */
static void condemn_tag(struct reader *r, struct node *n)
{
	condemn(r, n, "remove the tag, or quote a value that begins with !", "a tag that is not one of YAML's core tags");
}

static void scalar_style(struct reader *r, const yaml_event_t *e, struct node *n)
{
	const char *tag = (const char *)e->data.scalar.tag;

	n->style = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? NODE_PLAIN : NODE_STRING;
	if (!tag)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(core_tags); i++)
		if (streq(tag, core_tags[i].tag)) {
			n->style = core_tags[i].style;
			return;
		}
	condemn_tag(r, n);
}

static int on_scalar(struct reader *r, const yaml_event_t *e)
{
	size_t size = e->data.scalar.length;
	const char *text = (const char *)e->data.scalar.value;
	struct node *n;
	int err = node_make(r, e, NODE_SCALAR, &n);

	if (err < 0)
		return err;
	path_enter(r);
	scalar_style(r, e, n);
	if (memchr(text, 0, size)) /* a C string would silently end here, and with it a path or a name */
		condemn(r, n, "remove the \\0 escape", "a NUL byte inside a value");
	n->text = arena_strndup(r->arena, text, size);
	n->count = strlen(n->text);
	n->bytes = n->count;
	anchor_set(r, e->data.scalar.anchor, n);
	path_leave(r);
	attach(r, n);
	return 0;
}

static int on_start(struct reader *r, const yaml_event_t *e, enum node_type type, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct node *n;
	int err = node_make(r, e, type, &n);

	if (err < 0)
		return err;
	if (r->depth == YAML_DEPTH_MAX) {
		r->path.depth = 0; /* nobody wants to read that */
		return spoil(r, &e->start_mark, NULL, "Too deep: lists and mappings may nest %d levels", YAML_DEPTH_MAX);
	}
	if (is_key(top(r)))
		return spoil(r, &e->start_mark, "a key must be a plain word", "a list or a mapping can't be a key");
	path_enter(r);
	n->open = true;
	anchor_set(r, anchor, n);
	if (tag && !streq((const char *)tag, type == NODE_SEQUENCE ? YAML_SEQ_TAG : YAML_MAP_TAG))
		condemn_tag(r, n);
	r->frames[r->depth++] = (struct frame){ .node = n };
	return 0;
}

static int on_alias(struct reader *r, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct node *n = anchor_find(r, name);

	path_enter(r);
	if (++r->alias_count > YAML_ALIASES_MAX)
		return spoil(r, &e->start_mark, "write the values out", "alias expansion limit: a document may use %d aliases",
		             YAML_ALIASES_MAX);
	if (!n)
		return spoil(r, &e->start_mark, "define it before with &, or quote a value that begins with *",
		             "an alias that is not defined");
	if (n->open)
		return spoil(r, &e->start_mark, "write the value out", "alias *%.100s would contain itself", name);
	if (is_key(top(r)) && n->type != NODE_SCALAR)
		return spoil(r, &e->start_mark, "a key must be a plain word", "a list or a mapping can't be a key");
	path_leave(r);
	attach(r, n);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	const struct node_pair *p = *(const struct node_pair *const *)a, *q = *(const struct node_pair *const *)b;
	int c = strcmp(p->key->text, q->key->text);

	return c ? c : p < q ? -1 : p > q;
}

/* Kubernetes refuses a key that stands twice; libyaml doesn't notice. Of a merged and an explicit key the explicit one stays, of
 * two merged ones the first. `own` pairs stand before the merged ones. */
static void drop_duplicates(struct reader *r, struct node *map, size_t own)
{
	_cleanup_free_ const struct node_pair **sorted = xcalloc(map->count, sizeof(*sorted));
	_cleanup_free_ bool *drop = xcalloc(map->count, sizeof(*drop));
	size_t kept = 0;

	for (size_t i = 0; i < map->count; i++)
		sorted[i] = &map->pairs[i];
	qsort(sorted, map->count, sizeof(*sorted), by_text);
	for (size_t i = 1; i < map->count; i++) {
		const struct node *key = sorted[i]->key, *first = sorted[i - 1]->key;
		if (!streq(key->text, first->text))
			continue;
		size_t index = (size_t)(sorted[i] - map->pairs);
		drop[index] = true;
		if (index < own)
			condemn(r, key, "remove one of the two",
			        "Duplicate value: key \"%.100s\" stands here twice, first in line %u", key->text, first->line);
	}
	for (size_t i = 0; i < map->count; i++)
		if (!drop[i])
			map->pairs[kept++] = map->pairs[i];
	map->count = kept;
}

static bool is_merge(const struct node *key)
{
	return key->style == NODE_PLAIN && streq(key->text, "<<");
}

/* Number of pairs that a merge value brings; it must be a mapping or a list of mappings. */
static size_t merge_size(struct reader *r, const struct node *v)
{
	static const char text[] = "a merge key (<<) takes a mapping or a list of mappings";
	size_t n = 0;

	if (v->type == NODE_MAPPING)
		return v->count;
	if (v->type == NODE_SCALAR) {
		condemn(r, v, "quote it if the key is meant: \"<<\"", "%s", text);
		return 0;
	}
	for (size_t i = 0; i < v->count; i++)
		if (v->items[i]->type == NODE_MAPPING)
			n += v->items[i]->count;
		else
			condemn(r, v->items[i], NULL, "%s", text);
	return n;
}

static void merge_into(struct node *map, const struct node *v)
{
	if (v->type == NODE_SEQUENCE)
		for (size_t i = 0; i < v->count; i++)
			if (v->items[i]->type == NODE_MAPPING)
				merge_into(map, v->items[i]);
	if (v->type == NODE_MAPPING && v->count) {
		memcpy(map->pairs + map->count, v->pairs, v->count * sizeof(*v->pairs));
		map->count += v->count;
	}
}

static int finish_mapping(struct reader *r, const yaml_event_t *e, struct frame *f)
{
	struct node *map = f->node;
	size_t room = f->count / 2, own;

	for (size_t i = 0; i < f->count; i += 2)
		if (is_merge(f->items[i]))
			room += merge_size(r, f->items[i + 1]);
	if (room > YAML_KEYS_MAX)
		return spoil(r, &e->start_mark, NULL, "Too many: a mapping may have %d keys", YAML_KEYS_MAX);
	map->pairs = arena_new_array(r->arena, struct node_pair, room);
	for (size_t i = 0; i < f->count; i += 2)
		if (!is_merge(f->items[i]))
			map->pairs[map->count++] = (struct node_pair){ f->items[i], f->items[i + 1] };
	own = map->count;
	for (size_t i = 0; i < f->count; i += 2)
		if (is_merge(f->items[i]))
			merge_into(map, f->items[i + 1]);
	if (map->count > 1)
		drop_duplicates(r, map, own);
	for (size_t i = 0; i < map->count; i++) {
		map->weight += 1 + map->pairs[i].value->weight;
		map->bytes += map->pairs[i].key->bytes + map->pairs[i].value->bytes;
	}
	return 0;
}

static void finish_sequence(struct reader *r, struct frame *f)
{
	struct node *list = f->node;

	list->count = f->count;
	list->items = arena_new_array(r->arena, struct node *, f->count);
	for (size_t i = 0; i < f->count; i++) {
		list->items[i] = f->items[i];
		list->weight += f->items[i]->weight;
		list->bytes += f->items[i]->bytes;
	}
}

static int on_end(struct reader *r, const yaml_event_t *e)
{
	struct frame *f = top(r);
	struct node *n = f->node;
	int err = 0;

	if (n->type == NODE_MAPPING)
		err = finish_mapping(r, e, f);
	else
		finish_sequence(r, f);
	free(f->items);
	r->depth--;
	if (err < 0)
		return err;
	n->open = false;
	if (n->weight > YAML_NODES_MAX || n->bytes > YAML_EXPANDED_BYTES_MAX)
		return spoil(r, &e->start_mark, "write the values out",
		             "alias expansion limit: with all aliases written out a document may hold %d nodes and %d bytes",
		             YAML_NODES_MAX, YAML_EXPANDED_BYTES_MAX);
	path_leave(r);
	attach(r, n);
	return 0;
}

static int on_document(struct reader *r, const yaml_event_t *e)
{
	if (r->document_count == YAML_DOCUMENTS_MAX)
		return spoil(r, &e->start_mark, "split it into several files", "Too many: a file may hold %d documents",
		             YAML_DOCUMENTS_MAX);
	r->current = xgrow(r->documents, r->document_count);
	r->current->line = mark_line(&e->start_mark);
	r->anchor_count = 0; /* an alias reaches no further than its document */
	free(TAKE_PTR(r->anchors));
	r->alias_count = 0;
	r->path.depth = 0;
	return 0;
}

static int on_event(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(r, e);
	case YAML_SCALAR_EVENT:
		return on_scalar(r, e);
	case YAML_ALIAS_EVENT:
		return on_alias(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(r, e, NODE_SEQUENCE, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_start(r, e, NODE_MAPPING, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(r, e);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return 0;
}

/* libyaml's words are those of its grammar; these are about the file. */
static const struct {
	const char *problem, *text, *hint;
} cures[] = {
	{ "mapping values are not allowed", "\": \" where no key can stand",
	  "quote a value that contains \": \", and align keys of one level" },
	{ "could not find expected ':'", "a key without its ':'", "write `key: value`, and close every quote" },
	{ "did not find expected key", "neither a key of this level nor the end of it",
	  "align keys of one level in one column; quote values that begin with a special character" },
	{ "did not find expected '-' indicator", "neither a list item of this level nor the end of it",
	  "align the '-' of one list in one column" },
	{ "did not find expected ',' or ']'", "a [list] that is not closed", "separate items with ',' and close it with ']'" },
	{ "did not find expected ',' or '}'", "a {mapping} that is not closed", "separate pairs with ',' and close it with '}'" },
	{ "did not find expected node content", "a value is missing", "write it, and close what is open with ']' or '}'" },
	{ "block sequence entries are not allowed", "'-' where no list item can stand", "put the list on lines of its own" },
	{ "found unexpected end of stream", "the file ends inside a quoted value", "close the quote" },
	{ "did not find expected <document start>", "text after the end of the document",
	  "begin a further document with a line `---`, or align this line" },
	{ "found unknown escape character", "an escape that YAML doesn't know", "write a backslash as \\\\, or use single quotes" },
	{ "found invalid Unicode character escape", "an escape that is no character",
	  "a character beyond U+FFFF is \\UXXXXXXXX in YAML" },
	{ "did not find expected alphabetic", "'*' or '&' without a name", "quote a value that begins with '*' or '&'" },
	{ "found a tab character", "a tab in the indentation", "indent with spaces" },
};

static int on_syntax_error(struct reader *r, const char *text, size_t size)
{
	yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "the text is not YAML";
	bool encoding = p->error == YAML_READER_ERROR;
	/* A reader error has an offset into the text and no mark. */
	size_t offset = encoding ? p->problem_offset : p->problem_mark.index;

	if (p->error == YAML_MEMORY_ERROR)
		abort();
	if (encoding) {
		unsigned line = 1, column = 1;
		for (size_t i = 0; i < offset && i < size; i++) {
			line += text[i] == '\n';
			column = text[i] == '\n' ? 1 : column + 1;
		}
		diags_add_at(r->m, SEVERITY_ERROR, line, column, NULL, "save the file as UTF-8", "not valid UTF-8 text: %s",
		             problem);
		return -EBADMSG;
	}
	r->path.depth = 0; /* where libyaml gives up is often not where the reader stands */
	if (streq(problem, "found character that cannot start any token")) {
		unsigned line = 0;
		const char *at = text, *end = text + size;
		for (; at < end && line < p->problem_mark.line; at++)
			line += *at == '\n';
		if ((size_t)(end - at) > p->problem_mark.column && at[p->problem_mark.column] == '\t')
			return spoil(r, &p->problem_mark, "indent with spaces", "a tab in the indentation");
		return spoil(r, &p->problem_mark, "quote the value", "a value can't begin with this character");
	}
	for (size_t i = 0; i < ARRAY_SIZE(cures); i++)
		if (str_after(problem, cures[i].problem))
			return spoil(r, &p->problem_mark, cures[i].hint, "%s", cures[i].text);
	return spoil(r, &p->problem_mark, NULL, "%s", problem);
}

static int read_stream(struct reader *r, const char *text, size_t size)
{
	for (;;) {
		yaml_event_t e;
		if (!yaml_parser_parse(&r->parser, &e))
			return on_syntax_error(r, text, size);
		yaml_event_type_t type = e.type;
		int err = on_event(r, &e);
		yaml_event_delete(&e);
		if (err < 0 || type == YAML_STREAM_END_EVENT)
			return err;
	}
}

/* What libyaml would take, and nobody means. */
static int check_encoding(struct manifest *m, const char *text, size_t size)
{
	unsigned line = 1;

	if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
		diags_add_at(m, SEVERITY_ERROR, 1, 1, NULL, "save the file as UTF-8", "the file is UTF-16");
		return -EBADMSG;
	}
	const char *nul = memchr(text, 0, size);
	if (!nul)
		return 0;
	const char *begin = text;
	for (const char *p = text; p < nul; p++)
		if (*p == '\n') {
			line++;
			begin = p + 1;
		}
	diags_add_at(m, SEVERITY_ERROR, line, (unsigned)(nul - begin) + 1, NULL, "save the file as UTF-8 text",
	             "a NUL byte: this is not a text file");
	return -EBADMSG;
}

static void reader_deinit(struct reader *r)
{
	while (r->depth)
		free(r->frames[--r->depth].items);
	free(r->anchors);
	free(r->documents);
	yaml_parser_delete(&r->parser);
}

int yaml_read(struct manifest *m, struct arena *arena, const char *text, size_t size, struct yaml_file *ret)
{
	int err = check_encoding(m, text, size);

	if (err < 0)
		return err;
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		size -= 3;
	}
	_cleanup_(reader_deinit) struct reader r = { .m = m, .arena = arena };
	if (!yaml_parser_initialize(&r.parser))
		abort();
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
	err = read_stream(&r, text, size);
	if (err < 0)
		return err;
	ret->documents = arena_new_array(arena, struct yaml_document, r.document_count);
	if (r.document_count)
		memcpy(ret->documents, r.documents, r.document_count * sizeof(*r.documents));
	ret->count = r.document_count;
	return 0;
}
