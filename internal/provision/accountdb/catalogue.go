package accountdb

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ownSettings are those defaults of a role's sessions that the role can set itself.
const ownSettings = ` FROM pg_db_role_setting c LEFT JOIN pg_database s ON s.oid = c.setdatabase
		CROSS JOIN unnest(c.setconfig) v JOIN pg_settings g ON g.context = 'user' AND lower(g.name) = lower(split_part(v, '=', 1))
		WHERE c.setrole = r.oid ORDER BY 1`

// catalogueSQL reads all there is to know about names, each as one JSON text of an [Entry]. Of
// its places the first is for the administrator, the others say which names.
const catalogueSQL = `
SELECT json_build_object('Name', coalesce(r.rolname, d.datname),
	'Role', CASE WHEN r.oid IS NOT NULL THEN json_build_object(
		'Mark', coalesce(shobj_description(r.oid, 'pg_authid'), ''),
		'CanLogin', r.rolcanlogin AND coalesce(r.rolvaliduntil > now(), true),
		'ConnectionLimit', r.rolconnlimit,
		'Powers', array_remove(ARRAY[
			CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
			CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
			CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL),
		'Members', ARRAY(SELECT DISTINCT pg_get_userbyid(m.member)::text FROM pg_auth_members m
			WHERE m.roleid = r.oid AND pg_get_userbyid(m.member) <> %s ORDER BY 1),
		'MemberOf', ARRAY(SELECT DISTINCT pg_get_userbyid(m.roleid)::text FROM pg_auth_members m
			WHERE m.member = r.oid ORDER BY 1),
		'Settings', ARRAY(SELECT DISTINCT g.name` + ownSettings + `),
		'SettingsIn', ARRAY(SELECT DISTINCT coalesce(s.datname::text, '')` + ownSettings + `)) END,
	'Database', CASE WHEN d.oid IS NOT NULL THEN json_build_object(
		'Mark', coalesce(shobj_description(d.oid, 'pg_database'), ''),
		'Owner', pg_get_userbyid(d.datdba),
		'Open', d.datallowconn,
		'Broken', d.datconnlimit = -2,
		'OwnerRights', (SELECT count(DISTINCT a.privilege_type) = 3 FROM aclexplode(d.acl) a WHERE a.grantee = d.datdba),
		'Grantees', ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN '` + public + `' ELSE pg_get_userbyid(a.grantee)::text END
			FROM aclexplode(d.acl) a WHERE a.grantee <> d.datdba ORDER BY 1)) END)::text
FROM (SELECT * FROM pg_roles WHERE %s) r
FULL JOIN (SELECT *, coalesce(datacl, acldefault('d', datdba)) AS acl FROM pg_database WHERE %s) d
	ON d.datname = r.rolname
ORDER BY coalesce(r.rolname, d.datname)`

// Catalogue is the query for the names that match a condition, in which %s stands for the
// column. It returns one column, which [ParseEntry] reads, in the order of the names. The
// administrator is a role, as SQL has it: it may act as every account, and is left out.
func Catalogue(administrator, condition string) string {
	in := func(column string) string { return strings.ReplaceAll(condition, "%s", column) }
	return fmt.Sprintf(catalogueSQL, administrator, in("rolname"), in("datname"))
}

// CurrentUser is the administrator where it asks itself.
const CurrentUser = "current_user"

// ParseEntry reads what [Catalogue] returns of one name.
func ParseEntry(text string) (Entry, error) {
	var e Entry
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return e, fmt.Errorf("read an entry of the catalogue: %w", err)
	}
	return e, nil
}
