#include "../model.h"
