package accounts

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ownSettings are those defaults of a role's sessions that the role can set itself.
const ownSettings = ` FROM pg_db_role_setting c LEFT JOIN pg_database s ON s.oid = c.setdatabase
		CROSS JOIN unnest(c.setconfig) v JOIN pg_settings g ON g.context = 'user' AND lower(g.name) = lower(split_part(v, '=', 1))
		WHERE c.setrole = r.oid ORDER BY 1`

// catalogueSQL reads all there is to know about names; the two %s say which.
const catalogueSQL = `
SELECT coalesce(r.rolname, d.datname)::text,
	r.oid IS NOT NULL,
	coalesce(shobj_description(r.oid, 'pg_authid'), ''),
	coalesce(r.rolcanlogin AND coalesce(r.rolvaliduntil > now(), true), false),
	coalesce(r.rolconnlimit, 0),
	array_remove(ARRAY[
		CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
		CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
		CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL),
	ARRAY(SELECT DISTINCT pg_get_userbyid(m.member)::text FROM pg_auth_members m
		WHERE m.roleid = r.oid AND pg_get_userbyid(m.member) <> current_user ORDER BY 1),
	ARRAY(SELECT DISTINCT pg_get_userbyid(m.roleid)::text FROM pg_auth_members m
		WHERE m.member = r.oid ORDER BY 1),
	ARRAY(SELECT DISTINCT g.name` + ownSettings + `),
	ARRAY(SELECT DISTINCT coalesce(s.datname::text, '')` + ownSettings + `),
	d.oid IS NOT NULL,
	coalesce(shobj_description(d.oid, 'pg_database'), ''),
	coalesce(pg_get_userbyid(d.datdba)::text, ''),
	coalesce(d.datallowconn, false),
	coalesce(d.datconnlimit = -2, false),
	(SELECT count(DISTINCT a.privilege_type) = 3 FROM aclexplode(d.acl) a WHERE a.grantee = d.datdba),
	ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN '` + public + `' ELSE pg_get_userbyid(a.grantee)::text END
		FROM aclexplode(d.acl) a WHERE a.grantee <> d.datdba ORDER BY 1)
FROM (SELECT * FROM pg_roles WHERE %s) r
FULL JOIN (SELECT *, coalesce(datacl, acldefault('d', datdba)) AS acl FROM pg_database WHERE %s) d
	ON d.datname = r.rolname
ORDER BY 1`

// catalogueQuery returns catalogueSQL for the names that match the condition,
// in which %s stands for the column.
func catalogueQuery(condition string) string {
	in := func(column string) string { return strings.ReplaceAll(condition, "%s", column) }
	return fmt.Sprintf(catalogueSQL, in("rolname"), in("datname"))
}

// Catalogue returns everything whose name begins with prefix, ours or not,
// ordered by name. It is one query, however many accounts there are.
func (c *Cluster) Catalogue(ctx context.Context, prefix string) ([]Entry, error) {
	connection, err := c.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	defer connection.Release()
	entries, err := c.read(ctx, connection.Conn(), catalogueQuery("starts_with(%s::text, $1)"), prefix)
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	return entries, nil
}

// observe returns what there is under one name.
func (c *Cluster) observe(ctx context.Context, connection *pgx.Conn, name string) (Entry, error) {
	entries, err := c.read(ctx, connection, catalogueQuery("%s = $1"), name)
	if err != nil {
		return Entry{}, err
	}
	if len(entries) == 0 {
		return Entry{Name: name}, nil
	}
	return entries[0], nil
}

func (c *Cluster) read(ctx context.Context, connection *pgx.Conn, query, argument string) ([]Entry, error) {
	if err := c.before(ctx, "read"); err != nil {
		return nil, err
	}
	rows, err := connection.Query(ctx, query, argument)
	if err != nil {
		return nil, err
	}
	entries, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return nil, err
	}
	return entries, c.after(ctx, "read")
}

func scanEntry(row pgx.CollectableRow) (Entry, error) {
	var entry Entry
	var role Role
	var database Database
	var hasRole, hasDatabase bool
	err := row.Scan(&entry.Name,
		&hasRole, &role.Mark, &role.CanLogin, &role.ConnectionLimit, &role.Powers, &role.Members, &role.MemberOf, &role.Settings, &role.SettingsIn,
		&hasDatabase, &database.Mark, &database.Owner, &database.Open, &database.Broken, &database.OwnerRights, &database.Grantees)
	if hasRole {
		entry.Role = &role
	}
	if hasDatabase {
		entry.Database = &database
	}
	return entry, err
}
