#include "app.h"
int cmd_export(struct app*app,int argc,char**argv){(void)argc;(void)argv;return app_usage(app,"export is not built in");}
