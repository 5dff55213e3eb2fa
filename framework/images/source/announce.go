package source

// Items of the work as a person reads them.
const (
	itemEnvoy  = "download envoy"
	itemBase   = "load the base of the node image"
	itemNode   = "build the kind node image"
	itemBake   = "put the mesh's images into the node image"
	itemLayout = "assemble the mesh images"
)

func itemCompile(unit string) string { return "compile " + unit }

func itemRootFS(name string) string {
	return "unpack Debian packages for the " + name + " root file system"
}

// announce tells the reporter what is not in the cache, so that what is left is known from the start. What the engine
// lacks shows when it is looked at; a missing layout means that the node image is missing too.
func (b *Builder) announce(units []unit) error {
	for _, fs := range []rootFS{nodeFS(), slimFS()} {
		key, err := b.rootFSKey(fs)
		if err != nil {
			return err
		}
		if !b.store.Has("rootfs-"+fs.name, key) {
			b.report.Expect(itemRootFS(fs.name))
		}
	}
	if !b.store.Has("envoy", b.envoyKey()) {
		b.report.Expect(itemEnvoy)
	}
	for _, u := range units {
		key, err := b.unitKey(u)
		if err != nil {
			return err
		}
		if !b.store.Has("bin-"+u.name, key) {
			b.report.Expect(itemCompile(u.name))
		}
	}
	key, err := b.layoutKey(Recipes(b.v))
	if err == nil && !b.store.Has("layout-mesh", key) {
		b.report.Expect(itemBase, itemNode, itemLayout, itemBake)
	}
	return err
}
