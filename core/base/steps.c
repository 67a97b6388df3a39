#include "base/steps.h"

_Thread_local struct jb_steps jb_steps;
